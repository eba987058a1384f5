"""What one running action carries, and which of them are open."""

import asyncio
import threading

import pytest

from databench.kernel.request import Cancelled, KernelRequest, OpenRequests, Worker, current, settle


def test_a_cancel_is_no_exception_that_people_catch_by_accident():
    assert not issubclass(Cancelled, Exception)


def test_the_current_request_is_inherited_by_tasks():
    request = KernelRequest(None, 5, "run", b"")

    async def inner():
        return current.get()

    async def outer():
        token = current.set(request)
        task = asyncio.ensure_future(inner())
        current.reset(token)
        return await task

    assert asyncio.run(outer()) is request
    assert current.get() is None


def make_request(number=1):
    return KernelRequest(None, number, "run", b"")


def test_a_cancel_that_comes_before_its_request_is_kept_for_it():
    requests, request = OpenRequests(), make_request(7)
    assert requests.want(7, 2) is None
    requests.open(7, request)
    assert request.wanted == 2
    assert requests.want(7, 1) is request
    assert request.wanted == 2
    del requests[7]
    assert requests.want(7, 3) is None


class Meanwhile(OpenRequests):
    """A request arrives right after the first look for it."""

    def __init__(self, number, request):
        super().__init__()
        self.arrival = number, request

    def __contains__(self, number):
        is_there = super().__contains__(number)
        if self.arrival:
            arrival, self.arrival = self.arrival, None
            self.open(*arrival)
        return is_there


def test_a_cancel_that_is_read_while_its_request_arrives_is_not_lost():
    request = make_request(7)
    requests = Meanwhile(7, request)
    assert requests.want(7, 1) is request
    assert request.wanted == 1
    assert requests._early == {}


def test_cancels_for_requests_that_never_come_are_bounded():
    requests = OpenRequests()
    for number in range(2000):
        requests.want(number, 1)
    late, lost = make_request(1999), make_request(3)
    requests.open(1999, late)
    requests.open(3, lost)
    assert (late.wanted, lost.wanted) == (1, 0)


@pytest.mark.parametrize("is_running", [True, False])
def test_a_deferred_interruption_comes_out_once_and_only_where_it_runs(is_running):
    request, worker = make_request(), Worker(threading.RLock())
    request.wanted, request.is_deferred, request.worker = 1, True, worker
    worker.current = request if is_running else None
    token = current.set(request)
    try:
        if is_running:
            with pytest.raises(Cancelled):
                settle()
        settle()
    finally:
        current.reset(token)
    assert request.raised == (1 if is_running else 0)
    assert not request.is_deferred
