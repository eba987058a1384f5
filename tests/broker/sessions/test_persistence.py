"""What the broker tells a store, when, and what it takes from one."""

import asyncio
import time

import pytest

from databench.broker.sessions.persistence import DAMAGED, KEPT_AGAIN, NOT_KEPT, Persistence
from databench.broker.stores import Contents, MemoryStore
from databench.broker.stores.class_data import ClassValue
from databench.protocol.clients import Client
from databench.protocol.saved import Saved
from databench.protocol.session import SESSION_BYTES
from databench.settings import Settings
from tests.broker.harness import rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]
QUICK = {"flush_interval_s": 0.01}


class Failing(MemoryStore):
    """A disk that takes nothing while `is_full`."""

    is_full = False

    def commit(self):
        self.problem = "the disk is full" if self.is_full else ""
        return False if self.is_full else super().commit()


async def test_sessions_values_and_class_data_outlive_the_broker():
    kept = Contents()
    async with rigged(store=MemoryStore(kept), **QUICK) as rig:
        page = rig.join(args="?a=1")
        await page.run("state", 1)
        await page.run("class_state", 2)
        id_ = page.request("hold")
        await page.signal("held")
        await wait_until(lambda: kept.sessions[page.session].open == ((id_, "hold"),))
        saved = Contents()
        saved.update(kept)  # as if it were killed now
    async with rigged(store=MemoryStore(saved), **QUICK) as rig:
        assert rig.broker.status()["kernels"] == []  # it starts with the first page
        back = rig.join(session=page.session, received=4, epoch=page.connected["epoch"])
        assert back.connected["resumed"]
        assert back.connected["epoch"] != page.connected["epoch"]
        assert back.loads("__gap") == [{"missed": 1, "at": 1}]
        assert back.loads("data") == [{"k": 1}]
        assert back.loads("class_data") == [{"c": 2}]
        assert back.ends(id_)[0]["outcome"] == "lost"
        assert rig.join("b", session=page.session).connected["resumed"] is False
        await rig.ready()
        again = rig.join(session=page.session)  # a second view
        assert again.loads("__gap") == [{"missed": 1, "at": 1}]
        assert (await back.run("echo"))["outcome"] == "done"


async def test_a_session_that_is_closed_is_forgotten():
    kept = Contents()
    async with rigged(store=MemoryStore(kept), session_grace_s=0.0, **QUICK) as rig:
        page = rig.join()
        await page.run("state", 1)
        await wait_until(lambda: kept.sessions and kept.values)
        page.leave()
        await wait_until(lambda: not kept.sessions and not kept.values)
        assert rig.broker.status()["sessions"] == 0


async def test_when_its_page_left_is_kept_and_counts_over_a_restart(monkeypatch):
    now_s = [1000.0]
    monkeypatch.setattr("databench.broker.sessions.persistence.time.time", lambda: now_s[0])
    kept = Contents()
    async with rigged(store=MemoryStore(kept), **QUICK) as rig:
        page = rig.join()
        stays = rig.join()
        await page.run("echo")
        page.leave()
        await wait_until(lambda: kept.sessions[page.session].left_s is not None)
        assert kept.sessions[page.session].left_s == pytest.approx(1000, abs=10)
        assert kept.sessions[stays.session].left_s is None
    now_s[0] = 1100.0  # no server for longer than session_grace_s
    async with rigged(store=MemoryStore(kept), **QUICK) as rig:
        await wait_until(lambda: set(kept.sessions) == {stays.session})
        assert not rig.join(session=page.session).connected["resumed"]
        loop = asyncio.get_running_loop()
        later_s = loop.time() + 59.0
        monkeypatch.setattr(loop, "time", lambda: later_s)
        rig.broker._sessions.reclaim.sweep()
        assert stays.session in rig.broker._tables.holdings.room
        later_s += 2.0
        rig.broker._sessions.reclaim.sweep()
        assert stays.session not in rig.broker._tables.holdings.room
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("left_s", "since_s"),
    [
        (100.0, -400.0),
        (None, 0.0),  # a page was there to the last
        (9999.0, 0.0),  # the clock was set back since
    ],
)
async def test_the_time_without_a_server_counts(monkeypatch, left_s, since_s):
    monkeypatch.setattr("databench.broker.sessions.persistence.time.time", lambda: 500.0)
    saved = Saved("a", "", left_s, True, visitor="me", address="192.0.2.7")
    kept = Contents(sessions={"s": saved}, values={"s": {"k": (b"12", b"345")}})
    loop = asyncio.get_running_loop()
    (waiting,) = Persistence(MemoryStore(kept), Settings(), loop).list_kept()
    assert waiting.since_s == pytest.approx(loop.time() + since_s, abs=5)
    assert (waiting.client, waiting.is_unseen) == (Client("192.0.2.7", "me"), True)
    assert waiting.size_bytes == SESSION_BYTES + 5


async def test_the_session_whose_page_left_first_is_in_front():
    sessions = {f"s{n}": Saved("a", "", float(n % 3), False) for n in range(6)}
    persistence = Persistence(
        MemoryStore(Contents(sessions=sessions)), Settings(), asyncio.get_running_loop()
    )
    assert [w.id_ for w in persistence.list_kept()] == ["s0", "s3", "s1", "s4", "s2", "s5"]


@pytest.mark.expected_log("the oldest without a page is closed", "a page was refused")
async def test_sessions_that_wait_for_their_page_count_as_sessions():
    sessions = {f"s{n}": Saved("a", "", time.time() - 3 + n, True) for n in range(3)}
    store = MemoryStore(Contents(sessions=sessions))
    async with rigged(store=store, sessions=3) as rig:
        rig.join()
        assert "s0" not in rig.broker._tables.holdings.room
        assert rig.join(session="s1").connected["resumed"]
        assert rig.join(session="s2").connected["resumed"]
        assert rig.join().closed[0] == 1013


async def test_class_data_is_kept_with_its_versions():
    value = ClassValue(b"1", b"2", 5)
    kept = Contents(class_values={"a": {"c": value}})
    async with rigged(store=MemoryStore(kept), **QUICK) as rig:
        page = rig.join()
        assert page.loads("class_data") == [{"c": 1}]
        await page.run("class_state", 3)
        await wait_until(lambda: kept.class_values["a"]["c"].version == 6)


async def test_values_of_an_analysis_that_is_taken_out_wait_for_it_where_they_are_kept():
    for store, expected in ((MemoryStore(), [{"c": 3}]), (None, [])):
        async with rigged(store=store, **QUICK) as rig:
            await rig.join().run("class_state", 3)
            specs = dict(rig.broker._specs)
            rig.broker.swap({"b": specs["b"]})
            rig.broker.swap(specs)
            assert rig.join().loads("class_data") == expected


@pytest.mark.expected_log("the disk is full; if the server ends now", "is written to disk again")
async def test_pages_are_told_while_nothing_is_kept_and_when_it_is_again(monkeypatch):
    monkeypatch.setattr("databench.broker.sessions.persistence.RETRY_S", 0.01)
    store = Failing()
    async with rigged(store=store, **QUICK) as rig:
        page = rig.join()
        await page.run("echo")
        store.is_full = True
        await page.run("state", 1)
        assert await page.signal("error") == NOT_KEPT
        assert NOT_KEPT in rig.join().loads("error")
        store.is_full = False
        assert await page.signal("log") == KEPT_AGAIN
        assert page.loads("error") == [NOT_KEPT]
        assert store.contents.values[page.session] == {"k": (b"1", b"1")}
        assert rig.join().loads("error") == []


@pytest.mark.expected_log("the disk is full; (if the server ends now|the last changes)")
async def test_a_last_write_that_fails_is_said():
    store = Failing()
    async with rigged(store=store) as rig:
        await rig.join().run("echo")
        store.is_full = True


async def test_a_page_that_misses_its_session_is_told_of_a_damaged_file():
    store = MemoryStore()
    store.notice = "the file was set aside"
    async with rigged(store=store) as rig:
        assert rig.join().loads("error") == []
        assert rig.join(session="gone").loads("error") == [DAMAGED]


async def test_nothing_is_done_without_a_store():
    async with rigged() as rig:
        await rig.join().run("state", 1)
        persistence = rig.broker._tables.persistence
        assert (persistence._touched, persistence._timer) == (set(), None)
        await asyncio.sleep(0)
