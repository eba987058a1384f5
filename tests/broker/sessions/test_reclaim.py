"""Sessions that must go, without a kernel: tests/broker/sessions/test_sessions.py has the whole."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from databench.broker import AnalysisSpec
from databench.broker.records import HostedSession
from databench.broker.sessions.reclaim import Reclaim
from databench.broker.tables import Tables
from databench.protocol.budget import SHORT
from databench.protocol.clients import Client
from databench.protocol.session import Session
from databench.settings import Settings
from tests.broker.harness import wait_until

pytestmark = pytest.mark.expected_log("")


class World:
    """Sessions that wait, and what was closed."""

    def __init__(self, **limits):
        self.tables = Tables(Settings(**limits), debug=False)
        self.closed = []
        self.reclaim = Reclaim(self.tables, self.close)

    def close(self, hosted, reason):
        self.closed.append(hosted.session.id_)
        self.tables.holdings.end(hosted)
        del self.tables.sessions[hosted.session.id_]

    def sit(self, id_, *, visitor="", is_unseen=False):
        session = Session(id_, epoch="e", request_args="", limits=self.tables.settings)
        session.last_end = session.seen_offset + is_unseen
        record = SimpleNamespace(waiting=0, kernel=SimpleNamespace(spec=SPEC))
        hosted = self.tables.sessions[id_] = HostedSession(
            session, record, Client("127.0.0.1", visitor)
        )
        self.tables.holdings.begin(hosted)
        self.tables.holdings.rest(hosted)


SPEC = AnalysisSpec("a", Path("/"), "none", Path("/"))
CLIENT = Client("127.0.0.1", "me")


async def test_what_is_due_is_closed_some_in_each_turn():
    world = World(session_grace_s=0.0, turn_sessions=3)
    for number in range(8):
        world.sit(f"s{number}")
    world.reclaim.sweep()
    assert world.closed == ["s0", "s1", "s2"]
    await asyncio.sleep(0)
    assert len(world.closed) == 6
    await wait_until(lambda: len(world.closed) == 8)


async def test_over_the_budget_sessions_go_some_in_each_turn_and_nobody_begins_one():
    world = World(memory_budget_bytes=200_000, turn_sessions=2)
    for number in range(10):
        world.sit(f"s{number}", is_unseen=number < 2)
    world.tables.holdings.budget.take(None, 200_000 - 5 * 8192)
    assert world.closed == []
    assert world.reclaim.make_room(CLIENT) == SHORT
    await asyncio.sleep(0)
    assert world.closed == ["s2", "s3"]
    await wait_until(lambda: not world.tables.holdings.budget.is_over)
    assert world.reclaim.make_room(CLIENT) == ""
    assert world.closed[:8] == [f"s{number}" for number in range(2, 10)][: len(world.closed)]


async def test_where_a_person_has_its_share_its_oldest_goes():
    world = World(sessions_per_person=2)
    for number, visitor in enumerate(("you", "me", "me")):
        world.sit(f"s{number}", visitor=visitor)
    assert world.reclaim.make_room(CLIENT) == ""
    assert world.closed == ["s1"]
    assert "more sessions than one visitor may have" in world.tables.holdings.find_reason("s1")
