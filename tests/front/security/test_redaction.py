"""A key in an address, and the texts in which it is hidden."""

import pytest

from databench.front.security.redaction import compile_key, hide

KEY = compile_key("key")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /?key=secret 200", "GET /?key=… 200"),
        ("/?a=1&KEY=secret&b=2", "/?a=1&KEY=…&b=2"),
        ("/?%6bey=secret#top", "/?%6bey=…#top"),
        ("/login?next=%2F%3Fkey%3Dsecret", "/login?next=%2F%3Fkey%3D…"),
        ("/login?next=%252F%253Fkey%253Dsecret", "/login?next=%252F%253Fkey%253D…"),
        ("uri='/?key=secret', a", "uri='/?key=…', a"),
        ("/?mykey=5 key=5 /?keys=5", "/?mykey=5 key=5 /?keys=5"),
    ],
)
def test_its_value_alone_is_hidden(text, shown):
    assert hide(KEY, text) == shown


@pytest.mark.parametrize(("may_be_empty", "shown"), [(False, "/?key=&a=1"), (True, "/?key=…&a=1")])
def test_an_empty_value_is_one_where_that_is_said(may_be_empty, shown):
    assert hide(compile_key("key", may_be_empty=may_be_empty), "/?key=&a=1") == shown
