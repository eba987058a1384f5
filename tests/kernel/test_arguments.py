"""From payloads to arguments."""

import pytest

from databench.kernel.arguments import (
    ActionError,
    Fit,
    check_arguments,
    find_fit,
    no_such_action,
    read_payload,
)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", ([], {})),
        (b"[1, [2]]", ([1, [2]], {})),
        (b'{"a": 1}', ([], {"a": 1})),
        (b'{"a": 1, "__process_id": 4}', ([], {"a": 1})),
        (b"{}", ([], {})),
        (b"null", ([None], {})),
        (b"0", ([0], {})),
        (b'""', ([""], {})),
        (b"1e400", ([float("inf")], {})),
    ],
)
def test_payloads_become_arguments(payload, expected):
    assert read_payload(payload) == expected


@pytest.mark.parametrize("payload", [b"{", b"NaN", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_told(payload):
    with pytest.raises(ActionError, match="not JSON"):
        read_payload(payload)


def test_an_integer_of_too_many_digits_is_named_as_that():
    with pytest.raises(ActionError, match="can't be read: an integer has more than 4,300 digits"):
        read_payload(b'{"n": ' + b"9" * 5000 + b"}")
    assert read_payload(b"[" + b"9" * 4000 + b"]") == ([10**4000 - 1], {})


def test_arguments_that_do_not_fit_name_the_parameters():
    def method(a, *, b=1):
        pass

    check_arguments("run", method, [1], {"b": 2})
    with pytest.raises(ActionError, match=r"action 'run': .*'a'; it takes \(a, \*, b=1\)"):
        check_arguments("run", method, [], {})
    with pytest.raises(ActionError, match=r"it takes \(\)"):
        check_arguments("run", lambda: None, [1], {})


def test_a_method_without_a_signature_is_left_to_the_call():
    check_arguments("run", type, [1, 2, 3, 4], {})


def test_the_nearest_action_is_named():
    assert str(no_such_action("rnu", ["run", "stop"])) == "no action 'rnu'; did you mean 'run'?"
    assert str(no_such_action("xyz", ["run", "connected"])) == "no action 'xyz'; known: run"
    assert str(no_such_action("xyz", ["connected"])) == "no action 'xyz'"
    assert str(no_such_action("xyz", ["run"], ["samples"])) == "no action 'xyz'; known: run"
    near = "no action 'smaples'; did you mean 'samples'?"
    assert str(no_such_action("smaples", ["run"], ["samples"])) == near
    many = [f"a{n:02}" for n in range(12)]
    assert str(no_such_action("xyz", many)).endswith("a08, a09, …")


def test_methods_are_told_without_their_self():
    class Demo:
        def run(self, a):
            pass

        @staticmethod
        def static(a):
            pass

        def anything(*args):
            pass

    check_arguments("run", Demo().run, [1], {})
    check_arguments("run", Demo().static, [1], {})
    check_arguments("run", Demo().anything, [1, 2], {})
    with pytest.raises(ActionError, match=r"it takes \(a\)"):
        check_arguments("run", Demo().run, [], {})
    with pytest.raises(ActionError, match=r"it takes \(a\)"):
        check_arguments("run", Demo().static, [], {})


def test_what_surely_fits_is_known_without_binding():
    def run(self, a, b=2):
        pass

    def only_named(self, *, a):
        pass

    assert find_fit(run, True) == Fit(1, 2, frozenset("a"), frozenset("ab"))
    assert find_fit(run, False).required == {"self", "a"}
    for unsure in (only_named, type, lambda *args: None, lambda a, /: None):
        fit = find_fit(unsure, False)
        assert fit.least > fit.most
        assert not fit.names
