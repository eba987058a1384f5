"""Which session's start a death speaks against, and which sessions a process is given."""

from hypothesis import example, given
from hypothesis import strategies as st

from databench.protocol.starts import NOTHING, Finding, Starts
from databench.settings import Settings

FAULT = "was ended by SIGSEGV"


def make(*opened, **limits):
    """Starts of a process that has these sessions since long ago."""
    starts = Starts(Settings(**{"start_settle_s": 1.0, **limits}))
    for id_ in opened:
        starts.begin(id_)
        starts.opened(id_, -100.0)
    return starts


def judge(starts, fault=FAULT, *, now_s=0.0, **more):
    return starts.judge(fault, now_s=now_s, **more)


def test_a_start_that_was_all_that_ran_is_set_aside():
    starts = make("old")
    starts.begin("new")
    assert judge(starts) == Finding("new", True)
    assert starts.aside == {"new": FAULT}
    assert (starts.may_begin("old"), starts.may_begin("new")) == (True, False)


def test_a_start_may_need_a_moment_to_end_its_process():
    starts = make("old")
    starts.begin("new")
    starts.opened("new", 10.0)
    assert judge(starts, now_s=10.9) == Finding("", True)
    assert starts.suspect == "new"
    starts.begin("new")
    assert starts.opened("new", 20.0) == 1.0  # the others wait for that moment too
    assert not starts.may_begin("old")
    assert judge(starts, now_s=20.9) == Finding("new", True)


def test_after_that_moment_or_beside_an_action_it_is_not_suspected():
    for now_s, busy in ((11.1, ()), (10.5, ["old"]), (10.5, ["new"])):
        starts = make("old")
        starts.begin("new")
        starts.opened("new", 10.0)
        assert judge(starts, now_s=now_s, busy=busy) == NOTHING
        assert starts.may_begin("new")


def test_an_end_that_somebody_wanted_says_nothing():
    starts = make()
    starts.begin("new")
    assert judge(starts, "") == NOTHING
    assert starts.may_begin("new")


def test_kills_say_nothing_until_they_hit_starts_again_and_again():
    starts = make("old")
    for _ in range(2):
        starts.begin("old")
        starts.opened("old", -100.0)
        starts.begin("new")
        assert judge(starts, is_kill=True) == NOTHING
    starts.begin("new")
    assert judge(starts, is_kill=True) == Finding("new", True)
    assert starts.may_begin("old")


def test_a_kill_between_that_hits_no_start_begins_the_count_anew():
    starts = make()
    for has_opened in (False, False, True, False, False):
        starts.begin("s")
        if has_opened:
            starts.opened("s", 0.0)
        assert judge(starts, now_s=0.5, is_kill=True) == NOTHING
    starts.begin("s")
    assert judge(starts, is_kill=True).guilty == "s"


def test_of_several_starts_that_kill_one_is_found_like_any_other():
    starts = make()
    deaths = 0
    while not starts.aside:
        for id_ in [starts.suspect] if starts.suspect else "abc":
            starts.begin(id_)
            if id_ != "b" and starts.alone:
                starts.opened(id_, 0.0)
                starts.release(id_)
        if starts.suspect:
            starts.begin(starts.suspect)  # the next one, and it is `b`
        judge(starts, now_s=60.0, is_kill=True)
        deaths += 1
    assert set(starts.aside) == {"b"}
    assert deaths == 4


def test_of_several_the_next_process_is_given_one_after_another_the_latest_first():
    starts = make("old")
    for id_ in "abc":
        starts.begin(id_)
    assert judge(starts) == Finding("", True)
    order = []
    while starts.suspect:
        id_ = starts.suspect
        assert not starts.may_begin(id_) and not starts.may_begin("old")
        starts.begin(id_)
        assert (starts.alone, starts.suspect) == (id_, "")
        assert starts.opened(id_, 1.0) == 0.0
        starts.release(id_)
        order.append(id_)
    assert order == ["c", "b", "a"]
    assert starts.may_begin("old")


def test_one_that_ends_its_process_alone_is_guilty_and_the_others_are_not():
    starts = make()
    for id_ in "abc":
        starts.begin(id_)
    judge(starts)
    starts.begin("c")
    starts.opened("c", 1.0)
    starts.release("c")
    starts.begin("b")
    assert judge(starts, now_s=1.0) == Finding("b", True)
    assert starts.may_begin("a") and starts.may_begin("c")


def test_a_suspect_beside_others_actions_is_tried_before_there_are_any():
    starts = make("old")
    starts.begin("new")
    assert judge(starts, busy=["old"]) == Finding("", True)
    starts.begin("new")
    assert judge(starts, busy=["new"]) == Finding("new", True)  # its own had to wait for it


def test_its_own_action_may_be_what_ended_it():
    starts = make("old")
    starts.begin("new")
    assert judge(starts, busy=["new"]) == Finding("", True)
    assert starts.suspect == "new"


def test_after_a_kill_from_outside_a_suspect_is_tried_again():
    starts = make()
    for id_ in "ab":
        starts.begin(id_)
    judge(starts)
    starts.begin("b")
    judge(starts, "")
    assert starts.suspect == "b"


def test_a_suspect_that_holds_up_the_others_too_long_is_still_suspected():
    starts = make()
    for id_ in "ab":
        starts.begin(id_)
    judge(starts)
    starts.begin("b")
    starts.release("b")
    starts.begin("a")
    starts.opened("a", 0.0)
    starts.release("a")
    starts.begin("new")
    assert judge(starts, now_s=60.0) == Finding("b", True)


def test_once_more_by_a_person_is_once_more_alone():
    starts = make("old")
    starts.begin("new")
    judge(starts)
    starts.retry("new")
    assert (starts.suspect, starts.may_begin("other")) == ("new", False)
    starts.begin("new")
    assert judge(starts, busy=["old"]) == Finding("new", True)
    starts.forgive()
    assert (starts.suspect, starts.aside) == ("new", {})


def test_memory_speaks_against_the_start_that_took_it_or_that_was_the_first():
    starts = make("old")
    starts.begin("new")
    assert judge(starts, is_memory=True, grown=["new"]) == Finding("new", True)

    starts = make("old")
    starts.begin("new")
    assert judge(starts, is_memory=True) == Finding("", True)  # others may have filled it before
    starts.begin("new")
    assert judge(starts, is_memory=True) == Finding("new", True)


def test_what_all_hold_together_is_no_start_s_fault_for_ever():
    """The last of them is too much, whichever it is."""
    starts = make()
    findings = []
    for _ in range(6):
        given = set()
        while len(given) < 3:
            ids = [starts.suspect] if starts.suspect else [i for i in "abc" if i not in given]
            for id_ in ids:
                given.add(id_)
                starts.begin(id_)
                if len(given) < 3:
                    starts.opened(id_, 0.0)
                    starts.release(id_)
        findings.append(judge(starts, now_s=60.0, is_memory=True))
    assert not starts.aside
    assert findings.count(NOTHING) >= 2


def test_a_session_that_is_closed_holds_up_nobody():
    starts = make()
    for id_ in "abc":
        starts.begin(id_)
    judge(starts)
    starts.begin("c")
    starts.close("c")
    starts.close("b")
    assert starts.suspect == "a"
    starts.close("a")
    assert starts.may_begin("other")
    assert not starts._starts


def live(starts, sessions, bad, given, now_s):
    """One process: it is given what it may be given, and dies of the first bad start.

    Returns:
        Which session ended it, or `None`.
    """
    while True:
        suspect = starts.suspect
        ids = [suspect] if suspect else [s for s in sessions if starts.may_begin(s)]
        for id_ in ids:
            if id_ not in given:
                given.add(id_)
                starts.begin(id_)
        for id_ in ids:
            if id_ in bad:
                return id_
            starts.opened(id_, now_s)
            if suspect:
                starts.release(id_)
        if not suspect:
            return None


@given(st.integers(1, 8), st.sets(st.integers(0, 7)), st.randoms(use_true_random=False))
@example(3, {0, 1, 2}, None)
def test_every_guilty_session_is_found_and_no_other_one(count, guilty, random):
    """Each process dies of a start, until all of them are set aside, and each death is excused."""
    sessions = [str(number) for number in range(count)]
    bad = {str(number) for number in guilty if number < count}
    starts = make()
    now_s = 0.0
    deaths = 0
    while True:
        now_s += 10
        order = sessions if random is None else random.sample(sessions, count)
        if live(starts, order, bad, set(), now_s) is None:
            break
        assert judge(starts, now_s=now_s).is_excused
        deaths += 1
    assert set(starts.aside) == bad
    assert deaths <= 2 * len(bad)
    assert all(starts.may_begin(id_) for id_ in sessions if id_ not in bad)
