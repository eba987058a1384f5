"""The threads of plain actions."""

import queue
import threading

import pytest

from databench.kernel.desks import Desks, Job, MainDesk, PlainDesk, WorkerDesk
from databench.kernel.request import Cancelled, Request, current


def make_request(number=1):
    return Request(None, number, "run", b"")


@pytest.fixture(params=[MainDesk, WorkerDesk])
def desk(request):
    idle = queue.SimpleQueue()
    desk = request.param(threading.RLock(), lambda *who: idle.put(who))
    desk.idle = idle
    thread = desk._thread if request.param is WorkerDesk else threading.Thread(target=desk.serve)
    thread.start() if request.param is MainDesk else desk.start()
    yield desk
    desk.jobs.put(None)
    thread.join(5)
    assert not thread.is_alive()


def run(desk, function, request=None):
    ends = queue.SimpleQueue()
    job = Job(request or make_request(), function, lambda *end: ends.put(end))
    desk.jobs.put(job)
    end = ends.get(timeout=5)
    assert desk.idle.get(timeout=5) == (desk, job.request)
    assert desk.current is None
    return end


def test_results_and_exceptions_are_handed_over(desk):
    request = make_request()
    assert run(desk, lambda: 5, request) == (request, 5, None)
    _, _, failure = run(desk, lambda: 1 / 0)
    assert type(failure) is ZeroDivisionError
    _, _, failure = run(desk, lambda: (_ for _ in ()).throw(SystemExit(1)))
    assert type(failure) is SystemExit
    assert run(desk, lambda: 6)[1] == 6


def test_code_knows_its_request(desk):
    request = make_request(7)
    assert run(desk, lambda: (current.get(), desk.current, desk.is_running), request)[1] == (
        request,
        request,
        True,
    )


def test_a_cancel_that_came_before_the_start_is_raised_once(desk):
    request = make_request()
    request.wanted = 2
    _, _, failure = run(desk, lambda: pytest.fail("must not run"), request)
    assert type(failure) is Cancelled
    assert request.raised == 2


class Idle(PlainDesk):
    """A desk that only remembers what it was given."""

    def __init__(self):
        super().__init__(threading.RLock(), lambda _desk, _request: None)

    def given(self):
        return self.jobs.get_nowait().request.number


@pytest.fixture
def office():
    """Desks whose timers are called by hand: (desks, main, made workers, timers)."""
    main, made, timers = Idle(), [], []
    desks = Desks(
        main, lambda: made.append(Idle()) or made[-1], 2, lambda _s, f, job: timers.append((f, job))
    )
    return desks, main, made, timers


def submit(desks, *numbers):
    for number in numbers:
        desks.submit(Job(make_request(number), None, None))


def run_out(timers):
    for function, job in timers:
        function(job)
    timers.clear()


def test_a_job_waits_a_little_for_the_main_desk(office):
    desks, main, made, timers = office
    submit(desks, 0, 1, 2)
    assert main.given() == 0
    for expected in (1, 2):
        main.is_busy = False
        desks.idle(main)
        assert main.given() == expected
    run_out(timers)
    assert made == []


def test_what_waited_goes_to_free_desks_then_to_new_ones_then_to_the_first_that_is_free(office):
    desks, main, made, timers = office
    submit(desks, 0, 1, 2, 3)
    run_out(timers)
    assert (main.given(), made[0].given(), made[1].given()) == (0, 1, 2)
    made[1].is_busy = False
    desks.idle(made[1])
    assert made[1].given() == 3
    made[0].is_busy = False
    main.given_s -= 1
    submit(desks, 4)
    assert timers == []
    assert made[0].given() == 4


def test_a_desk_that_was_given_a_job_before_it_was_noticed_to_be_free_gets_no_second(office):
    desks, main, _made, _timers = office
    submit(desks, 0, 1)
    main.is_busy = False
    submit(desks, 2)
    desks.idle(main)
    assert (main.given(), main.given()) == (0, 2)
    assert main.jobs.empty()


def test_a_desk_is_free_before_the_end_of_its_job_is_said(desk):
    seen = queue.SimpleQueue()
    desk.is_busy = True
    desk.jobs.put(Job(make_request(), lambda: 1, lambda *_: seen.put(desk.is_busy)))
    assert seen.get(timeout=5) is False
    desk.idle.get(timeout=5)


def test_what_waits_for_a_desk_can_be_withdrawn():
    desks = Desks(Idle(), Idle, 0, lambda *_: None)
    jobs = [Job(make_request(n), None, None) for n in range(2)]
    for job in jobs:
        desks.submit(job)
    assert not desks.withdraw(jobs[0].request)
    assert desks.withdraw(jobs[1].request)
    assert not desks.withdraw(jobs[1].request)


class Office:
    """Further desks that can be had while `is_short` is not set."""

    def __init__(self):
        self.is_short = True
        self.made = []

    def make(self):
        if self.is_short:
            raise RuntimeError("can't start new thread")
        self.made.append(Idle())
        return self.made[-1]


@pytest.mark.expected_log("no further thread")
def test_without_a_further_thread_a_job_waits_for_the_desks_there_are(caplog):
    main, office, timers = Idle(), Office(), []
    later = lambda _s, f, job: timers.append((f, job))  # noqa: E731
    desks = Desks(main, office.make, 2, later)
    submit(desks, 0, 1, 2)
    run_out(timers)
    (record,) = [record for record in caplog.records if "no further thread" in record.message]
    assert record.levelname == "WARNING"
    assert main.given() == 0
    main.is_busy = False
    desks.idle(main)
    assert main.given() == 1
    office.is_short = False
    submit(desks, 3)
    run_out(timers)
    assert office.made[0].given() == 3
    main.is_busy = False
    desks.idle(main)
    assert main.given() == 2


@pytest.mark.expected_log("no further thread")
def test_the_action_itself_is_not_hit_by_a_thread_that_cannot_be_started():
    office = Office()
    desks = Desks(Idle(), office.make, 1, lambda *_: None)
    submit(desks, 0)
    desks._main.given_s = 0.0  # long ago: the next one is spilled at once
    submit(desks, 1)
    assert [job.request.number for job in desks._waiting] == [1]
