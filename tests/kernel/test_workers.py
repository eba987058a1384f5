"""The threads of plain actions."""

import queue
import threading

import pytest

from databench.kernel.request import Cancelled, KernelRequest, current
from databench.kernel.workers import Job, MainWorker, PlainWorker, PoolWorker, WorkerPool


def make_request(number=1):
    return KernelRequest(None, number, "run", b"")


@pytest.fixture(params=[MainWorker, PoolWorker])
def worker(request):
    worker = request.param(threading.RLock())
    worker.idle = queue.SimpleQueue()
    worker.take_next = lambda free: setattr(free, "is_busy", False) or worker.idle.put(free)
    is_main = request.param is MainWorker
    thread = threading.Thread(target=worker.serve) if is_main else worker._thread
    thread.start() if is_main else worker.start()
    yield worker
    worker.jobs.put(None)
    thread.join(5)
    assert not thread.is_alive()


def run(worker, function, request=None):
    ends = queue.SimpleQueue()
    job = Job(request or make_request(), function, lambda *end: ends.put(end))
    worker.jobs.put(job)
    end = ends.get(timeout=5)
    assert worker.idle.get(timeout=5) is worker
    assert worker.current is None
    return end


def test_results_and_exceptions_are_handed_over(worker):
    request = make_request()
    assert run(worker, lambda: 5, request) == (request, 5, None)
    _, _, failure = run(worker, lambda: 1 / 0)
    assert type(failure) is ZeroDivisionError
    _, _, failure = run(worker, lambda: (_ for _ in ()).throw(SystemExit(1)))
    assert type(failure) is SystemExit
    assert run(worker, lambda: 6)[1] == 6


def test_code_knows_its_request(worker):
    request = make_request(7)
    assert run(worker, lambda: (current.get(), worker.current, worker.is_running), request)[1] == (
        request,
        request,
        True,
    )


def test_a_cancel_that_came_before_the_start_is_raised_once(worker):
    request = make_request()
    request.wanted = 2
    _, _, failure = run(worker, lambda: pytest.fail("must not run"), request)
    assert type(failure) is Cancelled
    assert request.raised == 2


class Idle(PlainWorker):
    """A worker that only remembers what it was given."""

    def __init__(self):
        super().__init__(threading.RLock())

    def given(self):
        return self.jobs.get_nowait().request.number


@pytest.fixture
def office():
    """A pool whose timers are called by hand: (pool, main, made workers, timers)."""
    main, made, timers = Idle(), [], []
    later = lambda _s, f, job: timers.append((f, job))  # noqa: E731
    pool = WorkerPool(main, lambda: made.append(Idle()) or made[-1], 2, later)
    return pool, main, made, timers


def submit(pool, *numbers):
    for number in numbers:
        pool.submit(Job(make_request(number), None, None))


def take_next(pool, worker):
    job = pool.take_next(worker)
    return None if job is None else job.request.number


def run_out(timers):
    for function, job in timers:
        function(job)
    timers.clear()


def test_a_job_waits_a_little_for_the_main_worker(office):
    pool, main, made, timers = office
    submit(pool, 0, 1, 2)
    assert main.given() == 0
    for expected in (1, 2):
        assert take_next(pool, main) == expected
    assert take_next(pool, main) is None
    assert not main.is_busy
    run_out(timers)
    assert made == []


def test_what_waited_goes_to_free_workers_then_to_new_ones_then_to_the_first_that_is_free(office):
    pool, main, made, timers = office
    submit(pool, 0, 1, 2, 3)
    run_out(timers)
    assert (main.given(), made[0].given(), made[1].given()) == (0, 1, 2)
    assert take_next(pool, made[1]) == 3
    assert take_next(pool, made[0]) is None
    main.given_s -= 1
    submit(pool, 4)
    assert timers == []
    assert made[0].given() == 4


def test_whose_turn_it_is_comes_before_a_job_that_arrives_in_between(office):
    pool, main, _made, _timers = office
    submit(pool, 0, 1)
    assert take_next(pool, main) == 1
    submit(pool, 2)  # of the session whose job has just ended, say
    assert main.is_busy
    assert take_next(pool, main) == 2


def test_a_worker_runs_what_waits_without_a_word_of_the_loop(worker):
    pool = WorkerPool(worker, Idle, 0, lambda *_: None)
    ends, gate = queue.SimpleQueue(), threading.Event()
    functions = (lambda: gate.wait(5), lambda: (current.get().number, worker.current.number))
    for number, function in enumerate(functions):
        pool.submit(Job(make_request(number), function, lambda *end: ends.put(end)))
    gate.set()
    assert [ends.get(timeout=5)[1] for _ in functions] == [True, (1, 1)]
    assert not worker.is_busy


def test_no_job_is_lost_or_overtaken_while_the_worker_becomes_free(worker):
    pool = WorkerPool(worker, Idle, 0, lambda *_: None)
    ends = queue.SimpleQueue()
    finish = lambda request, _result, _failure: ends.put(request.number)  # noqa: E731
    for number in range(2000):
        pool.submit(Job(make_request(number), int, finish))
    assert [ends.get(timeout=5) for _ in range(2000)] == list(range(2000))


def test_a_worker_is_free_before_the_end_of_its_job_is_said(worker):
    seen = queue.SimpleQueue()
    worker.is_busy = True
    worker.jobs.put(Job(make_request(), lambda: 1, lambda *_: seen.put(worker.is_busy)))
    assert seen.get(timeout=5) is False
    worker.idle.get(timeout=5)


def test_what_waits_for_a_worker_can_be_withdrawn():
    pool = WorkerPool(Idle(), Idle, 0, lambda *_: None)
    jobs = [Job(make_request(n), None, None) for n in range(2)]
    for job in jobs:
        pool.submit(job)
    assert not pool.withdraw(jobs[0].request)
    assert pool.withdraw(jobs[1].request)
    assert not pool.withdraw(jobs[1].request)


class Office:
    """Further workers that can be had while `is_short` is not set."""

    def __init__(self):
        self.is_short = True
        self.made = []

    def make(self):
        if self.is_short:
            raise RuntimeError("can't start new thread")
        self.made.append(Idle())
        return self.made[-1]


@pytest.mark.expected_log("no further thread")
def test_without_a_further_thread_a_job_waits_for_the_workers_there_are(caplog):
    main, office, timers = Idle(), Office(), []
    later = lambda _s, f, job: timers.append((f, job))  # noqa: E731
    pool = WorkerPool(main, office.make, 2, later)
    submit(pool, 0, 1, 2)
    run_out(timers)
    (record,) = [record for record in caplog.records if "no further thread" in record.message]
    assert record.levelname == "WARNING"
    assert main.given() == 0
    assert take_next(pool, main) == 1
    office.is_short = False
    submit(pool, 3)
    run_out(timers)
    assert office.made[0].given() == 3
    assert take_next(pool, main) == 2


@pytest.mark.expected_log("no further thread")
def test_the_action_itself_is_not_hit_by_a_thread_that_cannot_be_started():
    office = Office()
    pool = WorkerPool(Idle(), office.make, 1, lambda *_: None)
    submit(pool, 0)
    pool._main.given_s = 0.0  # long ago: the next one is spilled at once
    submit(pool, 1)
    assert [job.request.number for job in pool._waiting] == [1]
