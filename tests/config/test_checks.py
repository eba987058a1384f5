"""What one key may hold."""

import pytest
import yaml

from databench.config.checks import ENTRY_KEYS, GLOBAL_KEYS
from databench.config.datastore import DatastoreChoice

KEYS = {**GLOBAL_KEYS, **ENTRY_KEYS}


def check(key, text):
    loader = yaml.SafeLoader(text)
    node = loader.get_single_node()
    if node is None:
        node = yaml.ScalarNode("tag:yaml.org,2002:null", "")
    return KEYS[key](node, loader.construct_object(node, deep=True))


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("title", "Dummy π", "Dummy π"),
        ("version", "1.10", "1.10"),  # as it is written, not as a number
        ("version", "", None),
        ("watch", "a/*.py", ("a/*.py",)),
        ("watch", "[a, b]", ("a", "b")),
        ("build", "", ()),
        ("show_in_index", "false", False),
        ("processes", "3", 3),
        ("isolation", "session", "session"),
        ("reload", "at once", "at once"),
        ("thumbnail", "img/a.png", "img/a.png"),
        ("static", "{files/(.*): folder/}", (("files/(.*)", "folder/"),)),
        ("static", "[{a(.*): x}, {b(.*): y}]", (("a(.*)", "x"), ("b(.*)", "y"))),
        ("static", "[[a(.*), x]]", (("a(.*)", "x"),)),
        ("content_security_policy", '"a;\\n  b"', "a; b"),
        ("content_security_policy", "''", ""),
        ("content_security_policy", "", None),
        ("datastore", "{url: redis}", DatastoreChoice("{'url': 'redis'}", 1)),
        ("datastore", "sqlite:///a.db", DatastoreChoice("sqlite:///a.db", 1)),
    ],
)
def test_value_is_taken(key, text, value):
    assert check(key, text) == value


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("title", "yes", "text"),
        ("title", "[a]", "text"),
        ("watch", "{a: b}", "a list of texts"),
        ("watch", "[1]", "a list of texts"),
        ("show_in_index", "maybe", "true or false"),
        ("processes", "0", "at least 1"),
        ("processes", "true", "at least 1"),
        ("processes", "1.5", "at least 1"),
        ("isolation", "sesion", "nearest: 'session'"),
        ("reload", "[]", "one of when idle, at once"),
        ("thumbnail", "../secret.png", "below the analysis' folder"),
        ("thumbnail", "analysis.yaml", "an image (.svg, .png"),
        ("thumbnail", "/etc/passwd", "below the analysis' folder"),
        ("static", "{'files/.*': x}", "has 0 groups"),
        ("static", "{'(a)(b)': x}", "has 2 groups"),
        ("static", "{'(': x}", "unterminated"),
        ("static", "{'(?i)files/(.*)': x}", "global flags not at the start"),
        ("static", "{'(a){99999999999999}': x}", "repetition number is too large"),
        ("static", "{'" + "(" * 500 + ")" * 500 + "': x}", "a map"),
        ("static", '{"(.*)": "a\\0"}', "a map"),
        ("static", '{"(.*)\\0": "a"}', "a map"),
        ("title", r'"\0"', "text"),
        ("title", r'"\ud800"', "text"),
        ("watch", r'["a\0/**"]', "a list of texts"),
        ("static", "3", "a map"),
        ("content_security_policy", "[a]", "text"),
        ("content_security_policy", "é", "ASCII"),
        ("content_security_policy", r'"a\x07"', "ASCII"),
        ("static", "{'(.*)': 3}", "a map"),
    ],
)
def test_value_is_refused_with_what_was_expected(key, text, expected):
    with pytest.raises(ValueError) as caught:
        check(key, text)
    assert expected in str(caught.value)
