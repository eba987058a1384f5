"""Compressed forms: who gets which, and what is left alone."""

import gzip
import random
import types

import pytest

from databench.front.content import encodings
from databench.front.content.encodings import choose, encode, pays


@pytest.fixture
def brotli(monkeypatch):
    """A library that marks what it was given."""
    made = types.SimpleNamespace(compress=lambda body, quality: b"br%d" % len(body))
    monkeypatch.setattr(encodings, "_find_brotli", lambda: made)


@pytest.fixture
def without_brotli(monkeypatch):
    monkeypatch.setattr(encodings, "_find_brotli", lambda: None)


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", ""),
        ("identity", ""),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("gzip;q=0", ""),
        ("gzip;q=nonsense", ""),
        ("deflate, br", ""),
        ("gzip, deflate, br, zstd", "gzip"),
        ("*", "gzip"),
        ("*;q=0", ""),
        ("*, gzip;q=0", ""),
        ("," * 1000 + "gzip", ""),
    ],
)
@pytest.mark.usefixtures("without_brotli")
def test_encoding_is_one_that_the_browser_takes(accepted, expected):
    assert choose(accepted) == expected


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0.1, gzip", "gzip"),
        ("*", "br"),
        ("*, br;q=0", "gzip"),
    ],
)
@pytest.mark.usefixtures("brotli")
def test_brotli_comes_first_where_it_is_there(accepted, expected):
    assert choose(accepted) == expected


@pytest.mark.usefixtures("brotli")
def test_brotli_makes_its_form():
    assert encode(b"a" * 2000, "br") == b"br2000"


@pytest.mark.parametrize(
    ("kind", "size_bytes", "expected"),
    [
        ("text/html; charset=utf-8", 5000, True),
        ("text/javascript; charset=utf-8", 5000, True),
        ("image/svg+xml", 5000, True),
        ("application/json", 5000, True),
        ("application/wasm", 5000, True),
        ("text/html; charset=utf-8", 999, False),
        ("image/png", 5000, False),
        ("font/woff2", 5000, False),
        ("application/octet-stream", 5000, False),
        ("application/zip", 5000, False),
    ],
)
def test_tiny_and_compressed_bodies_are_left_alone(kind, size_bytes, expected):
    assert pays(kind, size_bytes) is expected


def test_gzip_is_the_same_each_time_and_holds_the_body():
    body = b"<p>text</p>" * 200
    assert gzip.decompress(encode(body, "gzip")) == body
    assert encode(body, "gzip") == encode(body, "gzip")
    assert encode(body, "gzip")[4:8] == bytes(4)  # no time: RFC 1952 section 2.3.1


def test_what_gets_no_shorter_has_no_form():
    assert encode(random.Random(1).randbytes(2000), "gzip") == b""


def test_a_library_is_found_or_none_is():
    found = encodings._find_brotli()
    assert found is None or callable(found.compress)


def test_a_refused_encoding_stays_refused_in_a_header_of_any_length_and_order():
    assert choose(f"{'a' * 251},gzip;q=0") == ""
    assert choose("gzip;q=0, gzip") == choose("gzip, gzip;q=0") == ""
