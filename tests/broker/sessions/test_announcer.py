"""Who is shown the state of a kernel, how often, and how many in one turn of the loop."""

import asyncio
from types import SimpleNamespace

import pytest

from databench.broker.sessions.announcer import Announcer
from databench.broker.sessions.parts import Parts


class HostedSession:
    """A session with a page, or without one."""

    def __init__(self, number):
        self.number = number
        self.session = SimpleNamespace(views={"page": None})


class Paper:
    """An outbox that keeps what it is handed."""

    def __init__(self):
        self.page_records = {}
        self.written = []

    def announce(self, hosted, frame):
        self.written.append((hosted.number, frame))

    def add(self, page_record, frames):
        self.written += [(page_record.hosted.name, frame) for frame in frames]

    def flush(self):
        pass


@pytest.fixture
async def desk():
    outbox = Paper()
    desk = SimpleNamespace(outbox=outbox, state="first")
    parts = Parts(asyncio.get_running_loop(), 10, outbox.flush)
    desk.sessions = [HostedSession(number) for number in range(25)]
    desk.announcer = Announcer(outbox, lambda hosted: f"{hosted.number} {desk.state}", parts)
    return desk


async def test_a_change_is_shown_to_so_many_at_once_and_to_the_rest_in_later_turns(desk):
    desk.announcer.show(desk.sessions)
    assert len(desk.outbox.written) == 10
    await asyncio.sleep(0)
    assert len(desk.outbox.written) == 20
    await asyncio.sleep(0)
    assert desk.outbox.written == [(hosted, f"{hosted} first") for hosted in range(25)]


async def test_who_waits_is_shown_two_changes_as_one(desk):
    desk.announcer.show(desk.sessions)
    desk.state = "second"
    desk.announcer.show(desk.sessions)
    for _ in range(5):
        await asyncio.sleep(0)
    assert desk.outbox.written == [
        *((hosted, f"{hosted} first") for hosted in range(10)),
        *((hosted, f"{hosted} second") for hosted in range(10, 25)),
        *((hosted, f"{hosted} second") for hosted in range(10)),
    ]


async def test_a_change_after_all_were_shown_the_last_one_is_shown_at_once(desk):
    for _ in range(3):
        desk.announcer.show(desk.sessions[1:2])
        await asyncio.sleep(0)
    desk.announcer.show([])
    assert desk.outbox.written == [(1, "1 first")] * 3


async def test_who_has_gone_before_the_turn_came_is_shown_nothing(desk):
    desk.announcer.show(desk.sessions)
    for hosted in desk.sessions[15:]:
        hosted.session.views.clear()
    for _ in range(5):
        await asyncio.sleep(0)
    assert [hosted for hosted, _ in desk.outbox.written] == list(range(15))


async def test_an_announcement_for_all_leaves_out_who_does_not_know_it_or_is_gone(desk):
    views = {page: SimpleNamespace(is_counting=page % 2 == 0) for page in range(30)}
    for page in range(30):
        hosted = SimpleNamespace(name=page, session=SimpleNamespace(views=views))
        desk.outbox.page_records[page] = SimpleNamespace(hosted=hosted)
    desk.announcer.announce(b"saved")
    assert desk.outbox.written == [(page, b"saved") for page in range(0, 10, 2)]
    del desk.outbox.page_records[20]
    for _ in range(3):
        await asyncio.sleep(0)
    assert desk.outbox.written == [(page, b"saved") for page in range(0, 30, 2) if page != 20]
