"""What is kept in memory: how much, how long, and of what never."""

import asyncio
import gzip
import threading

import pytest

from databench.front.content.cache import Answer, Kept, are_constant, find_tag, may_keep
from databench.front.content.sources import PageSources
from databench.front.content.templatereads import FUNCTIONS

HTML = "text/html; charset=utf-8"


def make_kept(limit_bytes=2**20, interval_s=0.0, clock=lambda: 0.0):
    return Kept(limit_bytes, interval_s, clock)


def make_answer(text="page", sources=None, circumstances=()):
    return Answer(text.encode(), HTML, sources or PageSources(), circumstances)


# ---------------------------------------------------------------- what may be kept


@pytest.mark.parametrize(
    ("read", "namespace", "given", "expected"),
    [
        ({"title"}, {"title": "T"}, {"title"}, True),
        ({"missing"}, {"title": "T"}, {"title"}, True),
        (set(), {}, set(), True),
        ({"title", "handler"}, {"title": "T", "handler": 1}, {"title"}, False),
        (None, {}, set(), False),
        ({"title"}, {"title": "T", "len": 1}, {"title", "len"}, False),
        ({"title"}, {"title": "T", "escape": 1}, {"title", "escape"}, False),
    ],
)
def test_only_what_depends_on_given_names_alone_may_be_kept(read, namespace, given, expected):
    names = None if read is None else frozenset(read)
    assert may_keep(names, namespace, given) is expected


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_value_in_the_place_of_any_harmless_function_is_none(name):
    assert not may_keep(frozenset(), {name: object()}, {name})


def test_values_of_a_script_are_constant_where_nothing_can_change_them():
    assert are_constant({})
    assert are_constant({"a": "x", "b": 1, "c": 1.5, "d": None, "e": True})
    assert not are_constant({"a": []})
    assert not are_constant({"a": {}})
    assert not are_constant({"a": len})
    assert not are_constant({"a": "x", "b": object()})

    class Now(str):
        """A text that says something else each time."""

    assert not are_constant({"a": Now("x")})


# ---------------------------------------------------------------- for how long


def test_an_answer_is_found_until_its_circumstances_change():
    kept = make_kept()
    answer = make_answer(circumstances=("index", 1))
    kept.keep("k", answer)
    assert kept.find("k", ("index", 1)) is answer
    assert kept.find("other", ("index", 1)) is None
    assert kept.find("k", ("index", 2)) is None
    assert kept.find("k", ("index", 1)) is None  # forgotten
    assert kept.size_bytes == 0


def test_an_answer_is_found_until_a_file_of_it_changes(tmp_path, settled):
    file = tmp_path / "a"
    file.write_text("one")
    kept = make_kept()
    answer = make_answer(sources=PageSources(file))
    kept.keep("k", answer)
    assert kept.find("k") is answer
    file.write_text("other")
    assert kept.find("k") is None


def test_files_are_looked_at_once_in_an_interval(tmp_path, settled):
    now_s = 10.0
    file = tmp_path / "a"
    file.write_text("one")
    kept = make_kept(interval_s=0.5, clock=lambda: now_s)
    answer = make_answer(sources=PageSources(file))
    kept.keep("k", answer)
    assert kept.find("k") is answer
    file.write_text("other")
    assert kept.find("k") is answer
    now_s = 10.6
    assert kept.find("k") is None


def test_what_is_not_settled_is_not_kept():
    kept = make_kept()
    answer = make_answer()
    answer.sources.distrust()
    kept.keep("k", answer)
    assert kept.find("k") is None


# ---------------------------------------------------------------- how much


def test_what_was_asked_for_the_longest_ago_goes_first():
    kept = make_kept(limit_bytes=32_000)
    for name in "abcdefghijklmnopq":
        kept.keep(name, make_answer("x" * 999))
        kept.find("a")
    assert kept.find("a") is not None
    assert kept.find("b") is None
    assert kept.find("q") is not None
    assert kept.size_bytes <= 32_000


def test_one_that_would_take_too_much_is_not_kept():
    kept = make_kept(limit_bytes=160_000)
    assert kept.most_bytes == 9000
    kept.keep("k", make_answer("x" * 9001))
    assert kept.find("k") is None
    kept.keep("k", make_answer("x" * 9000))
    assert kept.find("k") is not None
    kept.keep("k", make_answer("x" * 9001))
    assert kept.find("k") is None  # nor is the one before it


def test_the_files_of_an_answer_count_too(tmp_path, settled):
    paths = [tmp_path / f"{number}" for number in range(100)]
    kept = make_kept(limit_bytes=2**20)
    kept.keep("k", make_answer(sources=PageSources(*paths)))
    assert kept.size_bytes > 100 * 300
    assert kept.find("k", ("other",)) is None
    assert kept.size_bytes == 0


def test_circumstances_that_are_equal_become_those_that_are_asked_with():
    kept = make_kept()
    kept.keep("k", make_answer(circumstances=([1],)))
    now = ([1],)
    assert kept.find("k", now).circumstances is now


def test_nothing_is_kept_in_no_memory():
    kept = make_kept(limit_bytes=0)
    kept.keep("k", make_answer(""))
    assert kept.find("k") is None
    assert kept.size_bytes == 0


def test_an_answer_in_the_place_of_another_counts_once():
    kept = make_kept()
    for _ in range(3):
        kept.keep("k", make_answer("x" * 500))
    assert kept.size_bytes == make_answer("x" * 500).size_bytes


# ---------------------------------------------------------------- forms


def test_a_short_page_is_compressed_once_and_counts():
    kept = make_kept()
    answer = make_answer("words " * 500)
    kept.keep("k", answer)
    body, encoding = kept.find_form("k", answer, "gzip")
    assert (encoding, gzip.decompress(body)) == ("gzip", answer.body)
    assert kept.find_form("k", answer, "gzip")[0] is body
    assert kept.size_bytes == answer.size_bytes > len(answer.body) + len(body)
    kept.find("k", ("other",))
    assert kept.size_bytes == 0


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0"])
def test_whoever_takes_no_form_gets_it_as_it_is(accepted):
    kept = make_kept()
    answer = make_answer("words " * 500)
    kept.keep("k", answer)
    assert kept.find_form("k", answer, accepted) == (answer.body, "")


def test_what_is_not_kept_is_not_compressed():
    answer = make_answer("words " * 500)
    assert make_kept().find_form("k", answer, "gzip") == (answer.body, "")


def test_what_gets_no_shorter_is_tried_once(monkeypatch):
    calls = []
    monkeypatch.setattr(
        "databench.front.content.encodings.encode", lambda *given: calls.append(given) or b""
    )
    kept = make_kept()
    answer = make_answer("x" * 2000)
    kept.keep("k", answer)
    for _ in range(2):
        assert kept.find_form("k", answer, "gzip") == (answer.body, "")
    assert len(calls) == 1


async def test_a_long_file_is_compressed_in_a_thread(monkeypatch):
    kept = make_kept(limit_bytes=2**24)
    answer = make_answer("words " * 20_000)
    kept.keep("k", answer)
    assert kept.find_form("k", answer, "gzip") is None
    body, encoding = await kept.make_form("k", answer, "gzip")
    assert (encoding, gzip.decompress(body)) == ("gzip", answer.body)
    assert kept.find_form("k", answer, "gzip") == (body, "gzip")
    assert kept.size_bytes == answer.size_bytes


async def test_a_form_is_made_once_for_all_who_wait(monkeypatch):
    calls = []
    monkeypatch.setattr(
        "databench.front.content.encodings.encode", lambda *given: calls.append(given) or b"short"
    )
    kept = make_kept(limit_bytes=2**24)
    answer = make_answer("words " * 20_000)
    kept.keep("k", answer)
    forms = await asyncio.gather(*(kept.make_form("k", answer, "gzip") for _ in range(3)))
    assert forms == [(b"short", "gzip")] * 3
    assert len(calls) == 1


async def test_a_crowd_that_asks_for_many_files_gets_most_of_them_as_they_are(monkeypatch):
    gate, begun = threading.Event(), []

    def encode(body, encoding):
        begun.append(body)
        assert gate.wait(10)
        return b"short"

    monkeypatch.setattr("databench.front.content.encodings.encode", encode)
    kept = make_kept(limit_bytes=2**24)
    answers = [make_answer(f"words {number} " * 20_000) for number in range(20)]
    for number, answer in enumerate(answers):
        kept.keep(number, answer)
    asked = [
        asyncio.ensure_future(kept.make_form(number, answer, "gzip"))
        for number, answer in enumerate(answers)
    ]
    assert [await one for one in asked[2:]] == [(answer.body, "") for answer in answers[2:]]
    gate.set()
    assert [await one for one in asked[:2]] == [(b"short", "gzip")] * 2
    assert len(begun) == 2
    assert (await kept.make_form(5, answers[5], "gzip")) == (b"short", "gzip")  # there is room


async def test_without_a_thread_it_is_sent_as_it_is(monkeypatch):
    async def refuse(*_):
        raise RuntimeError("can't start new thread")

    kept = make_kept(limit_bytes=2**24)
    answer = make_answer("words " * 20_000)
    kept.keep("k", answer)
    monkeypatch.setattr("asyncio.to_thread", refuse)
    assert await kept.make_form("k", answer, "gzip") == (answer.body, "")
    monkeypatch.undo()
    assert (await kept.make_form("k", answer, "gzip"))[1] == "gzip"  # there may be one later


def test_a_tag_names_the_content():
    assert find_tag(b"a") == find_tag(b"a") != find_tag(b"b")
    assert find_tag(b"a").isalnum()
