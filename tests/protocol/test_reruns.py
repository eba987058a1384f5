"""Which actions are run again after their kernel was lost."""

import itertools

import pytest

from databench.protocol.lifecycle import State
from databench.protocol.records import OpenRequest
from databench.protocol.reruns import compose_note, may_go_on, may_rerun


def lost(**given):
    """A request that its kernel took with it."""
    known = {"is_sent": True, "is_idempotent": True, **given}
    return OpenRequest(1, "fit", b"", 7, 0.0, **known)


def test_an_action_that_may_run_twice_is_run_again():
    assert may_rerun(lost(), is_suspect=False)


@pytest.mark.parametrize(
    "given", [{"is_idempotent": False}, {"is_rerun": True}, {"is_cancelled": True}]
)
def test_whatever_speaks_against_a_second_run_decides(given):
    assert not may_rerun(lost(**given), is_suspect=False)
    assert not may_rerun(lost(), is_suspect=True)


def test_of_all_that_can_be_known_of_a_request_one_case_is_run_again():
    names = ("is_idempotent", "is_rerun", "is_cancelled", "is_suspect")
    again = []
    for case in itertools.product((False, True), repeat=len(names)):
        known = dict(zip(names, case, strict=True))
        if may_rerun(
            lost(**{k: v for k, v in known.items() if k != "is_suspect"}),
            is_suspect=known["is_suspect"],
        ):
            again.append({name for name in names if known[name]})
    assert again == [{"is_idempotent"}]


def test_a_request_that_is_queued_again_never_is_a_third_time():
    request = lost(progress_offset=9)
    request.requeue()
    assert (request.is_sent, request.is_rerun, request.progress_offset) == (False, True, 0)
    request.is_sent = True
    assert not may_rerun(request, is_suspect=False)


FINE = {"was_asked": False, "is_set_aside": False, "is_draining": False}


@pytest.mark.parametrize("state", State)
def test_a_session_goes_on_only_where_a_process_follows_by_itself(state):
    assert may_go_on(state, **FINE) == (state in (State.STARTING, State.BACKOFF))


@pytest.mark.parametrize("reason", FINE)
def test_a_session_does_not_go_on_where_anything_speaks_against_it(reason):
    assert not may_go_on(State.STARTING, **{**FINE, reason: True})


@pytest.mark.parametrize(
    ("actions", "note"),
    [
        (["fit"], "'fit' is run again"),
        (["fit", "fit"], "'fit' is run again"),
        (["fit", "plot", "fit"], "'fit' and 'plot' are run again"),
        (["a", "b", "c"], "'a', 'b' and 'c' are run again"),
        (["a", "b", "c", "d", "e"], "'a', 'b', 'c' and 2 more are run again"),
    ],
)
def test_a_note_names_the_first_actions_and_counts_the_others(actions, note):
    assert compose_note(actions) == note


def test_a_note_is_short_whatever_a_page_calls_its_actions():
    assert len(compose_note([f"{n}\n{'x' * 1000}" for n in range(200)])) < 300
    assert "\n" not in compose_note(["a\nb"])
