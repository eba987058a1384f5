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


def test_the_main_desk_comes_first_then_idle_ones_then_new_ones_then_the_queue():
    made = []
    main = Idle()
    desks = Desks(main, lambda: made.append(Idle()) or made[-1], 2)
    jobs = [Job(make_request(n), None, None) for n in range(6)]
    for job in jobs[:4]:
        desks.submit(job)
    assert (main.given(), made[0].given(), made[1].given()) == (0, 1, 2)
    desks.idle(made[1])
    assert made[1].given() == 3
    desks.idle(made[1])
    desks.idle(main)
    desks.submit(jobs[4])
    assert (main.given(), jobs[4].request.desk) == (4, main)
    desks.submit(jobs[5])
    assert made[1].given() == 5
    assert len(made) == 2


def test_what_waits_for_a_desk_can_be_withdrawn():
    desks = Desks(Idle(), Idle, 0)
    jobs = [Job(make_request(n), None, None) for n in range(2)]
    for job in jobs:
        desks.submit(job)
    assert not desks.withdraw(jobs[0].request)
    assert desks.withdraw(jobs[1].request)
    assert not desks.withdraw(jobs[1].request)
