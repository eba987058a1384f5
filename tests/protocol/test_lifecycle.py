"""A kernel's states and its restart budget: every pair, every order, every wait."""

import itertools
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.protocol.lifecycle import (
    FREE_RELOADS,
    RELOAD_WAIT_S,
    TABLE,
    YOUNG_S,
    Event,
    LastMessages,
    Lifecycle,
    OnChange,
    State,
)
from databench.settings import Settings

DEFAULTS = Settings()
LIVE = [State.IDLE, State.BUSY, State.UNRESPONSIVE]
EXITS = [Event.EXIT_NOW, Event.EXIT_RETRY, Event.EXIT_FINAL, Event.EXIT_CULL]
# A way into each state, from a new lifecycle.
WAYS = {
    State.STARTING: [],
    State.IDLE: [Event.HELLO],
    State.BUSY: [Event.HELLO, Event.WORK],
    State.UNRESPONSIVE: [Event.HELLO, Event.WORK, Event.SILENT],
    State.BACKOFF: [Event.EXIT_RETRY],
    State.FAILED: [Event.EXIT_FINAL],
    State.STOPPING: [Event.STOP],
    State.STOPPED: [Event.STOP, Event.GONE],
    State.CULLED: [Event.EXIT_CULL],
    State.QUEUED: [Event.EXIT_CULL, Event.QUEUE],
}


def make(state=State.STARTING, limits=DEFAULTS):
    life = Lifecycle(limits)
    for event in WAYS[state]:
        life.step(event)
    assert life.state is state
    return life


def limits(**changes):
    return Settings(**changes)


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("event", Event, ids=lambda event: event.name)
@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_every_pair_is_a_step_of_the_table_or_a_mistake(state, event):
    life = make(state)
    generation = life.generation
    after = TABLE.get((state, event))
    assert life.allows(event) is (after is not None)
    if after is None:
        with pytest.raises(AssertionError, match=f"no step from {state.value}"):
            life.step(event)
        assert (life.state, life.generation) == (state, generation)
    else:
        assert life.step(event) is life.state is after
        assert life.generation == generation + (after is State.STARTING)


def test_table_is_the_one_of_the_design():
    # Written a second time, by hand: what follows what, but for steps that change nothing.
    by_hand = {
        State.STARTING: {Event.HELLO: State.IDLE},
        State.IDLE: {Event.WORK: State.BUSY, Event.SILENT: State.UNRESPONSIVE},
        State.BUSY: {Event.REST: State.IDLE, Event.SILENT: State.UNRESPONSIVE},
        State.UNRESPONSIVE: {Event.TRAFFIC: State.BUSY, Event.REST: State.IDLE},
        State.BACKOFF: {
            Event.SPAWN: State.STARTING,
            Event.EXIT_FINAL: State.FAILED,
            Event.EXIT_CULL: State.CULLED,
        },
        State.FAILED: {Event.SPAWN: State.STARTING},
        State.STOPPING: {Event.GONE: State.STOPPED},
        State.STOPPED: {},
        State.QUEUED: {Event.SPAWN: State.STARTING},
        State.CULLED: {Event.SPAWN: State.STARTING, Event.QUEUE: State.QUEUED},
    }
    for state in (State.STARTING, *LIVE):
        by_hand[state] |= {
            Event.EXIT_NOW: State.STARTING,
            Event.EXIT_RETRY: State.BACKOFF,
            Event.EXIT_FINAL: State.FAILED,
            Event.EXIT_CULL: State.CULLED,
        }
    for state in set(State) - {State.STOPPING, State.STOPPED}:
        by_hand[state][Event.STOP] = State.STOPPING
    changes = {(s, e): a for (s, e), a in TABLE.items() if a is not s or s is State.STARTING}
    assert changes == {(s, e): a for s, steps in by_hand.items() for e, a in steps.items()}


def test_every_state_can_be_reached_and_only_stopped_is_final():
    reached = {State.STARTING}
    for _ in State:
        reached |= {after for (before, _), after in TABLE.items() if before in reached}
    assert reached == set(State)
    assert {state for state, _ in TABLE} == set(State) - {State.STOPPED}


def test_nothing_leads_out_of_stopping_but_the_end():
    after = {state for (before, _), state in TABLE.items() if before is State.STOPPING}
    assert after == {State.STOPPING, State.STOPPED}


@given(st.lists(st.sampled_from(Event), max_size=40))
def test_any_order_of_events_obeys_the_table(events):
    life = Lifecycle(DEFAULTS)
    for event in events:
        before, generation = life.state, life.generation
        if not life.allows(event):
            with pytest.raises(AssertionError):
                life.step(event)
            continue
        after = life.step(event)
        assert after is TABLE[before, event]
        assert life.generation - generation == (after is State.STARTING)


# ---------------------------------------------------------------- the budget


def die(life, now_s, *, jitter=0.0, hello=True, completed=False):
    """One life of a process, from its start to its next start where there is one."""
    if hello:
        life.step(Event.HELLO)
    if completed:
        life.note_completed()
    verdict = life.judge_exit(now_s, jitter=jitter)
    life.step(verdict.event)
    if life.state is State.BACKOFF:
        life.step(Event.SPAWN)
    return verdict


@pytest.mark.parametrize("jitter", [-1.0, 0.0, 1.0])
def test_waits_double_up_to_the_longest_and_move_by_a_fifth(jitter):
    life = Lifecycle(limits(restart_limit=1000))
    waits = [die(life, now_s, jitter=jitter).wait_s for now_s in range(12)]
    expected = [0, 0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30, 30]
    assert waits == pytest.approx([wait_s * (1 + jitter / 5) for wait_s in expected])


def test_first_death_is_followed_by_a_start_at_once():
    assert die(Lifecycle(DEFAULTS), 0.0).event is Event.EXIT_NOW


def test_waits_of_thousands_of_deaths_stay_numbers():
    life = Lifecycle(limits(restart_limit=10_000, backoff_max_s=0.01))
    assert {die(life, 0.0).wait_s for _ in range(3000)} == {0, 0.01}


def test_backoff_of_zero_starts_at_once():
    life = Lifecycle(limits(backoff_first_s=0.0, restart_limit=100))
    assert {die(life, 0.0).event for _ in range(20)} == {Event.EXIT_NOW}


def test_fifth_death_within_the_window_is_the_last():
    life = Lifecycle(DEFAULTS)
    events = [die(life, now_s).event for now_s in (0.0, 40.0, 80.0, 120.0)]
    assert events == [Event.EXIT_NOW, *[Event.EXIT_RETRY] * 3]
    verdict = die(life, 180.0)
    assert verdict.event is Event.EXIT_FINAL
    assert verdict.note == (
        "5 crashes without a completed action in 180 s, limit 5; not restarting"
    )
    assert life.state is State.FAILED


def test_deaths_before_the_window_do_not_count():
    life = Lifecycle(DEFAULTS)
    for now_s in (0.0, 40.0, 80.0, 120.0):
        die(life, now_s)
    assert die(life, 180.001).event is Event.EXIT_RETRY  # the one at 0 is older than 180 s
    assert die(life, 1000.0).event is Event.EXIT_NOW  # all are: the waits begin anew


def test_death_after_a_completed_action_restarts_at_once_and_does_not_count():
    life = Lifecycle(DEFAULTS)
    for _ in range(100):
        verdict = die(life, 0.0, completed=True)
        assert (verdict.event, verdict.wait_s, verdict.note) == (Event.EXIT_NOW, 0.0, "")
    assert [die(life, 0.0).event for _ in range(5)][-1] is Event.EXIT_FINAL


def test_completed_action_counts_for_its_own_generation_alone():
    life = Lifecycle(DEFAULTS)
    die(life, 0.0, completed=True)
    assert [die(life, 0.0).event for _ in range(5)][-1] is Event.EXIT_FINAL


def test_second_exit_before_hello_is_the_last():
    life = Lifecycle(DEFAULTS)
    assert die(life, 0.0, hello=False).event is Event.EXIT_NOW
    verdict = die(life, 9999.0, hello=False)
    assert verdict.event is Event.EXIT_FINAL
    assert verdict.note == "it ended 2 times while starting, limit 2; not restarting"


def test_hello_between_two_early_exits_starts_their_count_anew():
    life = Lifecycle(DEFAULTS)
    die(life, 0.0, hello=False)
    die(life, 1000.0)
    assert die(life, 2000.0, hello=False).event is not Event.EXIT_FINAL
    assert die(life, 3000.0, hello=False).event is Event.EXIT_FINAL


def test_wished_end_does_not_count_not_even_before_hello():
    life = Lifecycle(limits(hello_exit_limit=1, restart_limit=1))
    for hello in (False, True) * 5:
        if hello:
            life.step(Event.HELLO)
        life.wish_end()
        assert life.step(life.judge_exit(0.0, jitter=0.0).event) is State.STARTING
    assert die(life, 0.0, hello=False).event is Event.EXIT_FINAL  # the wish was for one end


def test_a_death_by_a_session_s_start_takes_nothing_of_the_budget():
    life = Lifecycle(limits(restart_limit=2))
    waits = []
    for now_s in range(8):
        life.step(Event.HELLO)
        verdict = life.judge_exit(now_s, jitter=0.0, is_excused=True)
        life.step(verdict.event)
        if life.state is State.BACKOFF:
            life.step(Event.SPAWN)
        waits.append(verdict.wait_s)
    assert waits == [0, 0.5, 1, 2, 2, 2, 2, 2]
    assert die(life, 9.0).event is not Event.EXIT_FINAL
    assert die(life, 9.0).event is Event.EXIT_FINAL


@pytest.mark.parametrize("wish", ["wish_end", "wish_stop", "wish_cull"])
def test_an_end_is_wished_until_the_next_life(wish):
    life = Lifecycle(limits())
    life.step(Event.HELLO)
    assert not life.is_end_wished
    getattr(life, wish)()
    assert life.is_end_wished
    life.step(Event.EXIT_NOW)
    assert not life.is_end_wished


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_a_kernel_that_is_told_to_end_takes_no_action_and_the_next_one_does(state):
    life = make(state)
    assert life.takes_actions is (state in LIVE)
    life.is_ending = True
    assert not life.takes_actions
    if life.allows(Event.EXIT_NOW):
        life.step(Event.EXIT_NOW)
        life.step(Event.HELLO)
        assert life.takes_actions


# ---------------------------------------------------------------- new code


def reload(life, age_s, *, hello=True):
    if hello:
        life.step(Event.HELLO)
    life.note_reload(age_s)
    life.wish_end()
    verdict = life.judge_exit(0.0, jitter=0.0)
    life.step(verdict.event)
    if life.state is State.BACKOFF:
        life.step(Event.SPAWN)
    return verdict.wait_s


@pytest.mark.parametrize("hello", [False, True])
def test_a_start_that_changes_its_own_files_is_restarted_ever_more_slowly(hello):
    life = Lifecycle(DEFAULTS)
    first = DEFAULTS.backoff_first_s
    waits = [reload(life, YOUNG_S / 2, hello=hello) for _ in range(40)]
    assert waits[: FREE_RELOADS + 3] == [0.0] * (FREE_RELOADS + 1) + [first, 2 * first]
    assert waits[-1] == RELOAD_WAIT_S
    assert reload(life, YOUNG_S) == 0.0  # somebody saved later
    assert reload(life, 0.0) == 0.0


def test_a_kernel_that_has_worked_is_restarted_at_once_however_often():
    life = Lifecycle(DEFAULTS)
    for _ in range(40):
        life.step(Event.HELLO)
        life.note_completed()
        assert reload(life, 0.0, hello=False) == 0.0


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("is_working", [False, True])
@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_changed_code_waits_for_work_alone_and_never_begins_what_ends(state, is_working, at_once):
    step = make(state).judge_change(is_working=is_working, at_once=at_once)
    if state in (State.STOPPING, State.STOPPED, State.QUEUED, State.CULLED):
        assert step is OnChange.NOTHING
    elif state in LIVE and is_working and not at_once:
        assert step is OnChange.WAIT
    else:
        assert step is OnChange.RESTART


def test_forgiven_deaths_and_early_exits_do_not_count():
    life = Lifecycle(DEFAULTS)
    for _ in range(4):
        die(life, 0.0)
    life.forgive()
    assert [die(life, 0.0).event for _ in range(5)] == [
        Event.EXIT_NOW,
        *[Event.EXIT_RETRY] * 3,
        Event.EXIT_FINAL,
    ]
    life.forgive()
    life.step(Event.SPAWN)
    assert die(life, 0.0, hello=False).event is Event.EXIT_NOW


def test_failed_kernel_starts_again_when_a_person_asks():
    life = make(State.FAILED)
    assert life.step(Event.SPAWN) is State.STARTING
    assert life.generation == 2


def test_generation_counts_every_start():
    life = Lifecycle(limits(restart_limit=1000))
    assert life.generation == 1
    for generation in range(2, 30):
        die(life, 0.0, completed=generation % 2 == 0)
        assert life.generation == generation


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.sampled_from(["early", "plain", "completed", "forgive"])),
        max_size=30,
    ),
    st.floats(-1, 1),
)
def test_budget_is_that_of_a_plain_count(steps, jitter):
    """Against a count that is written the long way."""
    life = Lifecycle(DEFAULTS)
    now_s, deaths, early = 0.0, [], 0
    for delta_s, what in steps:
        now_s += delta_s
        if what == "forgive":
            life.forgive()
            deaths, early = [], 0
            continue
        if life.state is State.FAILED:
            life.step(Event.SPAWN)
        verdict = die(
            life, now_s, jitter=jitter, hello=what != "early", completed=what == "completed"
        )
        early = early + 1 if what == "early" else 0
        if early >= 2:
            assert verdict.event is Event.EXIT_FINAL
            continue
        if what == "completed":
            assert verdict.event is Event.EXIT_NOW
            continue
        deaths = [death_s for death_s in [*deaths, now_s] if now_s - death_s <= 180.0]
        assert (verdict.event is Event.EXIT_FINAL) == (len(deaths) >= 5)
        if len(deaths) < 5:
            wait_s = [0, 0.5, 1, 2][len(deaths) - 1]
            assert wait_s * 0.8 <= verdict.wait_s <= wait_s * 1.2


def test_limits_are_read_when_they_are_needed():
    # The supervisor hands in its settings; any object with the attributes will do.
    named = SimpleNamespace(
        hello_exit_limit=1,
        restart_limit=1,
        restart_window_s=1.0,
        backoff_first_s=1.0,
        backoff_max_s=1.0,
    )
    life = Lifecycle(named)
    assert life.judge_exit(0.0, jitter=0.0).event is Event.EXIT_FINAL


def test_every_way_of_this_file_is_one_of_the_table():
    assert set(WAYS) == set(State)
    for way in WAYS.values():
        state = State.STARTING
        for event in way:
            state = TABLE[state, event]
    assert all((state, event) in TABLE for state, event in itertools.product(LIVE, EXITS))


def test_kernel_that_a_person_stopped_is_not_started_again():
    life = Lifecycle(DEFAULTS)
    life.step(Event.HELLO)
    life.note_completed()
    life.wish_stop()
    verdict = life.judge_exit(0.0, jitter=0.0)
    assert (verdict.event, verdict.note) == (Event.EXIT_FINAL, "")
    assert not life.is_halted
    life.step(verdict.event)
    assert life.is_halted
    life.step(Event.SPAWN)  # somebody asked for it: the wish was for the one before
    assert not life.is_halted
    assert life.judge_exit(0.0, jitter=0.0).event is not Event.EXIT_FINAL


def test_a_start_that_cannot_succeed_is_not_tried_again_until_a_person_asks():
    life = Lifecycle(DEFAULTS)
    life.give_up()
    verdict = life.judge_exit(0.0, jitter=0.0)
    assert (verdict.event, verdict.note) == (Event.EXIT_FINAL, "")
    life.step(verdict.event)
    assert not life.is_halted  # nobody wanted it
    life.step(Event.SPAWN)
    assert life.judge_exit(0.0, jitter=0.0).event is Event.EXIT_NOW


def test_last_wish_of_a_person_holds():
    life = Lifecycle(DEFAULTS)
    life.wish_stop()
    life.wish_end()
    assert life.judge_exit(0.0, jitter=0.0).event is Event.EXIT_NOW


@pytest.mark.parametrize(
    ("limit_s", "silent_s", "is_ended"),
    [(0.0, 1e9, False), (60.0, 59.9, False), (60.0, 60.0, True)],
)
def test_silent_kernel_is_ended_at_its_limit_and_never_without_one(limit_s, silent_s, is_ended):
    life = Lifecycle(Settings(hang_timeout_s=limit_s))
    assert life.judge_silence(silent_s) == ""  # it is starting, which has a limit of its own
    life.step(Event.HELLO)
    life.step(Event.SILENT)
    problem = life.judge_silence(silent_s)
    assert problem == ("no answer for 60 s, limit 60 (hang_timeout_s)" if is_ended else "")


# -- the last messages -----------------------------------------------------------------------------

AWAITING = Settings(exit_drain_s=1.0, exit_drain_most_s=3.0)


def test_a_dead_kernel_that_is_silent_is_given_up():
    last = LastMessages(AWAITING, 10.0)
    assert last.is_awaited(10.99, is_heard=False)
    assert not last.is_awaited(11.0, is_heard=False)


def test_each_message_of_a_dead_kernel_lets_it_be_awaited_anew():
    last = LastMessages(AWAITING, 10.0)
    assert last.is_awaited(10.9, is_heard=True)
    assert last.is_awaited(11.8, is_heard=False)
    assert not last.is_awaited(11.9, is_heard=False)


def test_a_dead_kernel_whose_messages_never_end_is_given_up():
    last = LastMessages(AWAITING, 10.0)
    assert all(last.is_awaited(10 + n / 10, is_heard=True) for n in range(30))
    assert not last.is_awaited(13.0, is_heard=True)
