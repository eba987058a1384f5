"""Files: which may leave a folder, what they are, and what is kept of them."""

import pytest

from databench.front.content.cache import Kept
from databench.front.content.files import find_answer, find_file, find_kind
from databench.front.content.sources import PageSources


def test_first_folder_that_has_it_wins(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    (tmp_path / "two" / "b.txt").write_text("two")
    roots = [tmp_path / "one", tmp_path / "two", tmp_path / "gone"]
    assert find_file(roots, "a.txt") == tmp_path / "one" / "a.txt"
    assert find_file(roots, "b.txt") == tmp_path / "two" / "b.txt"
    assert find_file(roots, "c.txt") is None


def test_what_was_looked_at_is_noted(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.txt").write_text("")
    sources = PageSources()
    assert find_file([tmp_path / "a", tmp_path / "b"], "x.txt", sources) == tmp_path / "b" / "x.txt"
    assert sources.paths == {str(tmp_path / "a" / "x.txt"), str(tmp_path / "b" / "x.txt")}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.HTML", "text/html; charset=utf-8"),
        ("a.webp", "image/webp"),
        ("a.woff2", "font/woff2"),
        ("a.map", "application/json"),
        ("a.unknown", "application/octet-stream"),
    ],
)
def test_kind_follows_the_name(name, kind):
    assert find_kind(name) == kind


def test_content_is_kept_while_it_is_the_same(tmp_path, settled):
    kept = Kept(2**20, 0.0, lambda: 0.0)
    file = tmp_path / "a.js"
    assert find_answer(kept, (tmp_path,), "a.js") is None
    file.write_text("one")
    answer = find_answer(kept, (tmp_path,), "a.js")
    assert answer.body == b"one"
    assert find_answer(kept, (tmp_path,), "a.js") is answer
    file.write_text("two")
    assert find_answer(kept, (tmp_path,), "a.js").body == b"two"


def test_large_file_and_source_have_no_answer(tmp_path, settled):
    kept = Kept(2**20, 0.0, lambda: 0.0)
    (tmp_path / "a.js").write_bytes(b"x" * (kept.most_bytes + 1))
    (tmp_path / "a.py").write_text("secret")
    assert find_answer(kept, (tmp_path,), "a.js") is None
    assert find_answer(kept, (tmp_path,), "a.py") is None
    assert kept.size_bytes == 0
