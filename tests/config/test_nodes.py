"""The nodes of a YAML file: whatever is in it, a sentence with its line, and nothing raised."""

import random

import pytest
import yaml

from databench.config import load, nodes
from databench.config.nodes import Told, compose, construct, count_values, pairs, prepare, read_text
from databench.errors import SettingError

KEYS = (
    *("title", "description", "author", "version", "static", "settings", "analyses", "watch"),
    *("build", "datastore", "name", "kernel", "show_in_index", "thumbnail", "readme", "reload"),
    *("isolation", "processes", "preheat", "memory_limit", "open_files", "threads", "max_kernels"),
    *("<<", "? x", "&a", "*a", "", "1", "null", "true", "2020-13-45", "{", "[", "-", '"\\0"'),
    *('"\\ud800"', "!!binary", "!!python/object/apply:os.system", "? [a, b]", "session_grace_s"),
)
VALUES = (
    *("a", "", "~", "true", "1", "-1", ".nan", ".inf", "1e400", "0x10", "0o17", "12:30:45"),
    *(
        "2020-13-45",
        "2020-01-01",
        "9" * 5000,
        "0x" + "f" * 6000,
        '"\\ud800"',
        '"\\0"',
        '"\\UFFFFFFFF"',
    ),
    *(
        "[]",
        "[a, b]",
        "{}",
        "{a: b}",
        '{"(.*)": "."}',
        '{"(a+)+$": x}',
        "[[a, b]]",
        "*a",
        "&a [*a]",
    ),
    *("&a {b: *a}", "!!binary aGk=", "!!binary '%'", "!!set {a}", "!!omap [a]"),
    "!!pairs [{a: 1}]",
    *("!!python/name:os.system", "!!timestamp x", "!!timestamp 2020-99-99", "!!int x", "!!int ''"),
    *(
        "!!float x",
        "!!bool x",
        "!!null x",
        "!!str [a]",
        "!!map a",
        "!!seq a",
        "!!merge x",
        "!<x> 5",
    ),
    *("| \n  text", "> \n  text", "sqlite:///s.db", "package:os", "package:../x", "2 GiB", "../x"),
    *("@x", "`", "%", "\t", "\ufeff", "\u2028", "{{", "'", '"', "# c", "? [a]\n: c", "...", "---"),
    *("%YAML 9.9", f"%YAML {'1' * 5000}.1\n---", "%TAG ! x", "{[a]: b}", "{{a: b}: c}", "[" * 60),
)
PIECES = (
    b"[" * 50,
    b"{" * 50,
    b"- " * 40,
    b"&a ",
    b"*a",
    b"<<: ",
    b"\n",
    b"? ",
    b"!!",
    b"\xff",
    b"\0",
)


def make_node(chance, depth=0):
    pad = "  " * (depth + 1)
    what = chance.random()
    if what < 0.55 or depth > 3:
        return f" {chance.choice(VALUES)}\n"
    count = chance.randrange(1, 5)
    if what < 0.8:
        lines = [f"{chance.choice(KEYS)}:{make_node(chance, depth + 1)}" for _ in range(count)]
    else:
        lines = [f"-{make_node(chance, depth + 1)}" for _ in range(count)]
    return "\n" + "".join(pad + line for line in lines)


def make_file(chance):
    """A file as nobody writes it: of words that mean something, sometimes damaged."""
    lines = [f"{chance.choice(KEYS)}:{make_node(chance)}" for _ in range(chance.randrange(1, 5))]
    if chance.random() < 0.2:
        keys = "".join(f"    {chance.choice(KEYS)}: {chance.choice(VALUES)}\n" for _ in range(4))
        lines = ["analyses:\n  - name: a\n", keys]
    content = bytearray("".join(lines).encode("utf-8", "surrogatepass"))
    for _ in range(chance.randrange(4) if chance.random() < 0.3 else 0):
        place = chance.randrange(len(content) + 1)
        content[place : place + chance.randrange(4)] = chance.choice(PIECES)
    return bytes(content)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "analysis.py").write_text("")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_no_file_makes_the_reader_raise(folder, seed):
    chance = random.Random(seed)
    file = folder / "index.yaml"
    for _ in range(1000):
        content = make_file(chance)
        file.write_bytes(content)
        try:
            index = load(folder)
            told = [*index.problems, *index.warnings]
            told += [text for entry in index.entries.values() for text in entry.problems]
            assert index.is_read or index.problems, content
            assert all(isinstance(text, str) and len(text) < 2000 for text in told), content
            if index.datastore is not None:
                index.datastore.find_path(folder)
        except SettingError:
            pass  # of the datastore: a sentence
        except Exception as error:
            raise AssertionError(f"{error!r} for {content[:500]!r}") from error


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title: !!bool x", "title cannot be read: 'x' is not a value of the type 'bool'"),
        (
            "title: !!timestamp x",
            "title cannot be read: 'x' is not a value of the type 'timestamp'",
        ),
        ("title: !!int ''", "title cannot be read: '' is not a value of the type 'int'"),
        ("watch: 0x" + "f" * 6000, "watch is a very long int, expected text or a list"),
        ("\n? [a]\n: b", ":2: unknown key None is ignored"),
        ("settings: {session_grace_s: !!bool x}", "'x' is not a value of the type 'bool'"),
        ("settings: {sessions: 0x" + "f" * 6000 + "}", "sessions (index.yaml) is a very long int"),
        ("settings: {[a]: 1}", "there is no setting 'that is not text'"),
        ("analyses: [[a]]", ":1: an analysis has no name"),
        ("analyses: {[a]: {}}", "name of an analysis is not text"),
        ("a:\n  b: !!bool x\n  <<: !!bool x", "unknown key 'a'"),
        ('title: "\\UFFFFFFFF"', ":1: this is not YAML: "),
        ("%YAML " + "1" * 5000 + ".1\n---\na: b", "this is not YAML: "),
        ("a: b\ntitle: \0", ":2: this is not YAML: unacceptable character #x0000: special"),
        (
            "analyses:\n- name: a\n  show_in_index: !!bool x",
            ":3: show_in_index cannot be read: 'x'",
        ),
    ],
)
def test_each_fault_is_a_sentence_with_its_place(folder, text, problem):
    (folder / "index.yaml").write_text(text)
    index = load(folder)
    told = [*index.problems, *index.warnings]
    told += [text for entry in index.entries.values() for text in entry.problems]
    assert any(problem in line for line in told), told
    assert all("index.yaml" in line for line in told)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "".join(f"key{number}: 1\n" for number in range(15_000)),
        "settings:\n" + "".join(f"  key{number}: 1\n" for number in range(9000)),
        "analyses:\n" + "".join(f"- missing{number}\n" for number in range(15_000)),
        "analyses:\n- name: a\n" + "  processes: x\n" * 9000,
    ],
    ids=["keys", "settings", "analyses", "values"],
)
def test_what_is_told_is_limited(folder, text, monkeypatch):
    asked = []
    monkeypatch.setattr("difflib.get_close_matches", lambda *args, **kwargs: asked.append(1) or [])
    monkeypatch.setattr("databench.config.index.find_one", lambda *args: asked.append(1))
    (folder / "index.yaml").write_text(text)
    index = load(folder)
    told = [*index.problems, *index.warnings]
    assert len(told) <= 202 and len(asked) <= 1100
    assert len(index.entries) <= 1001


def test_told_ends_with_how_many_were_told():
    told = Told()
    for number in range(500):
        told.append(str(number))
    assert told[:100] == [str(number) for number in range(100)]
    assert told[100:] == ["there are more like this; the first 100 are shown"]
    assert told.is_full


def test_a_saved_file_is_composed_before_the_loop_asks_for_it(folder, monkeypatch):
    file = folder / "index.yaml"
    file.write_text("title: made in a thread")
    prepare(file)
    monkeypatch.setattr(yaml, "SafeLoader", None)
    assert compose(read_text(file)).node is not None
    prepare(folder / "none")


def test_large_files_are_not_read(tmp_path):
    file = tmp_path / "index.yaml"
    file.write_bytes(b"#" * (nodes.FILE_BYTES + 1))
    with pytest.raises(OSError, match="262145 bytes, limit 262144"):
        read_text(file)
    file.write_bytes(b"#" * nodes.FILE_BYTES)
    assert len(read_text(file)) == nodes.FILE_BYTES
    with pytest.raises(OSError, match="262144 bytes, limit 9"):
        read_text(file, 9)


def test_merged_pairs_leave_the_map_as_it_is():
    node = compose("a: &a {x: 1}\nb: {<<: *a, y: 2}").node
    inner = node.value[1][1]
    for _ in range(2):
        assert [key.value for key, _ in pairs(inner)] == ["x", "y"]
    assert construct(inner) == {"x": 1, "y": 2}
    with pytest.raises(yaml.YAMLError, match="expected a mapping"):
        list(pairs(compose("<<: 3").node))


@pytest.mark.slow
def test_values_are_counted_with_their_aliases():
    assert count_values(compose("[&a [1, 2], *a, *a]").node, {}) == 10
    assert count_values(compose("&a [*a]").node, {}) == 1
    assert compose("a: &a [x, x]\n" + "b: [" + "*a, " * 20_000 + "]").problem.endswith("limit")
