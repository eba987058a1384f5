"""Several kernels of one analysis: pools, a process per session, the queue, and who is ended."""

import asyncio
import dataclasses
import signal
import time

import pytest

from databench.protocol import placement
from databench.protocol.placement import Sharing
from tests.broker.harness import rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]
DEATHS = "was ended by|exited with"
ALONE = Sharing("session", preheat=0, max_kernels=8)


def kernels(rig, analysis="a"):
    """What `status` says of each kernel."""
    return [k for k in rig.broker.status()["kernels"] if k["analysis"] == analysis]


def states(rig):
    return sorted(kernel["state"] for kernel in kernels(rig))


async def pid(page):
    return (await page.run("pid"))["result"]


async def close(rig, page):
    """The page goes, and its session is closed as after its grace."""
    hosted = rig.broker._tables.sessions[page.session]
    page.leave()
    rig.broker._sessions.close(hosted, "as if its grace were over")


# -- pools -----------------------------------------------------------------------------------------


async def test_sessions_of_a_pool_are_spread_and_each_stays_where_it_is():
    async with rigged(sharing=Sharing("pool", processes=3)) as rig:
        pages = [rig.join() for _ in range(7)]
        pids = [await pid(page) for page in pages]
        assert len(set(pids)) == 3
        assert sorted(pids.count(one) for one in set(pids)) == [2, 2, 3]
        assert [await pid(page) for page in pages] == pids
        again = rig.join(session=pages[4].session)
        assert await pid(again) == pids[4]
        assert pages[0].kernel["isolation"] == "pool"


@pytest.mark.expected_log(DEATHS)
async def test_a_death_in_a_pool_touches_the_sessions_of_that_process_alone():
    async with rigged(sharing=Sharing("pool", processes=2)) as rig:
        first, second = rig.join(), rig.join()
        await first.run("echo")
        kept = second.request("hold", "x")
        await second.signal("held")
        lost = first.request("segfault")
        assert (await first.end(lost))["outcome"] == "lost"
        assert second.ends(kept) == []
        assert (await first.run("echo"))["outcome"] == "done"
        assert len(second.loads("__kernel")) <= 3  # it was told of its own kernel only
        assert all(load["reason"] == "" for load in second.loads("__kernel"))


async def test_class_data_reaches_every_process_and_page_of_a_pool():
    async with rigged(sharing=Sharing("pool", processes=2)) as rig:
        first, second = rig.join(), rig.join()
        await second.run("echo")
        await first.run("class_state", [1, 2])
        assert (await second.signal("class_data")) == {"c": [1, 2]}
        assert (await second.run("class_told"))["result"] == ["c", 1, False, [1, 2]]
        assert (await first.run("class_told"))["result"] == ["c", 1, True, [1, 2]]
        third = rig.join()
        assert third.loads("class_data") == [{"c": [1, 2]}]


# -- a process per session -------------------------------------------------------------------------


@pytest.mark.expected_log(DEATHS)
async def test_each_session_has_its_own_process_and_a_crash_touches_nobody_else():
    async with rigged(sharing=ALONE) as rig:
        first, second = rig.join(), rig.join()
        assert await pid(first) != await pid(second)
        assert first.kernel["isolation"] == "session"
        assert first.kernel["sessions"] == 1
        kept = second.request("hold", "x")
        await second.signal("held")
        assert (await first.run("segfault"))["outcome"] == "lost"
        assert (await first.run("echo"))["outcome"] == "done"
        assert second.ends(kept) == []


async def test_a_process_ends_with_its_session():
    async with rigged(sharing=ALONE) as rig:
        page, other = rig.join(), rig.join()
        await page.run("echo")
        await other.run("echo")
        pool = rig.broker._tables.pools["a"]
        await close(rig, page)
        await wait_until(lambda: len(kernels(rig)) == 1 and pool.leaving == 0)
        assert len(rig.broker._tables.by_kernel) == len(rig.broker._tables.by_routing) == 1
        assert (await other.run("echo"))["outcome"] == "done"


async def test_a_preheated_process_takes_the_next_session_and_another_follows():
    async with rigged(sharing=Sharing("session", preheat=1, max_kernels=3)) as rig:
        first = rig.join()
        await first.run("echo")
        await wait_until(lambda: states(rig) == ["idle", "idle"])
        spare = {k["pid"] for k in kernels(rig)} - {await pid(first)}
        second = rig.join()
        assert {await pid(second)} == spare
        await wait_until(lambda: len(kernels(rig)) == 3)
        third, fourth = rig.join(), rig.join()
        await third.run("echo")
        assert fourth.kernel["state"] == "queued"
        assert len(kernels(rig)) == 4


async def test_beyond_max_kernels_sessions_queue_in_order_and_what_they_ask_waits():
    async with rigged(sharing=Sharing("session", preheat=1, max_kernels=2)) as rig:
        first, second = rig.join(), rig.join()
        await first.run("echo")
        third, fourth = rig.join(), rig.join()
        assert (third.kernel["state"], third.kernel["ahead"]) == ("queued", 0)
        assert (fourth.kernel["state"], fourth.kernel["ahead"]) == ("queued", 1)
        waits = third.request("echo", "late"), fourth.request("echo", "later")
        await close(rig, first)
        assert (await third.end(waits[0]))["outcome"] == "done"
        assert (fourth.kernel["state"], fourth.kernel["ahead"]) == ("queued", 0)
        assert fourth.ends(waits[1]) == []
        await close(rig, second)
        assert (await fourth.end(waits[1]))["outcome"] == "done"


async def test_who_leaves_the_queue_makes_room_for_those_behind():
    async with rigged(sharing=Sharing("session", preheat=0, max_kernels=1)) as rig:
        first, second, third = rig.join(), rig.join(), rig.join()
        await first.run("echo")
        assert third.kernel["ahead"] == 1
        cancelled = second.request("echo")
        second.cancel(cancelled)
        assert (await second.end(cancelled))["outcome"] == "cancelled"
        await close(rig, second)
        await wait_until(lambda: third.kernel["ahead"] == 0)
        assert len(kernels(rig)) == 2


async def test_a_session_that_nobody_waits_for_keeps_its_place_and_holds_up_nobody():
    async with rigged(sharing=Sharing("session", preheat=0, max_kernels=1)) as rig:
        first, second, third = rig.join(), rig.join(), rig.join()
        await first.run("echo")
        second.leave()
        await wait_until(lambda: third.kernel["ahead"] == 0)
        again = rig.join(session=second.session)  # reloaded: it is before the third again
        assert again.kernel["ahead"] == 0
        await wait_until(lambda: third.kernel["ahead"] == 1)
        again.leave()
        await close(rig, first)
        assert (await third.run("echo"))["outcome"] == "done"
        back = rig.join(session=second.session)
        assert (back.kernel["state"], back.kernel["ahead"]) == ("queued", 0)
        await close(rig, third)
        assert (await back.run("echo"))["outcome"] == "done"


async def test_a_place_that_is_free_is_taken_by_the_first_who_comes_back():
    async with rigged(sharing=Sharing("session", preheat=0, max_kernels=1)) as rig:
        first, second = rig.join(), rig.join()
        await first.run("echo")
        second.leave()
        pool = rig.broker._tables.pools["a"]
        await close(rig, first)
        await wait_until(lambda: not pool.leaving)
        assert states(rig) == ["queued"]
        back = rig.join(session=second.session)
        assert (await back.run("echo"))["outcome"] == "done"


async def test_a_server_with_a_queue_stops_and_says_how_what_waited_ended():
    async with rigged(sharing=Sharing("session", preheat=0, max_kernels=1)) as rig:
        first, second = rig.join(), rig.join()
        await first.run("echo")
        waits = second.request("echo")
        await rig.broker.stop()
        assert (await second.end(waits))["outcome"] == "error"


@pytest.mark.expected_log(DEATHS)
async def test_an_action_that_no_cancel_ends_is_ended_with_its_process():
    async with rigged("cancels", sharing=ALONE, cancel_limit_s=0.2) as rig:
        page, other = rig.join("cancels"), rig.join("cancels")
        await page.run("state", "kept")
        kept = other.request("hold", "x")
        await other.signal("held")
        stuck = page.request("freeze", 1000)
        await wait_until(lambda: page.loads("__process"))
        page.cancel(stuck)
        end = await page.end(stuck)
        assert end["outcome"] == "lost"
        assert "cancelled 'freeze' did not end within 0.2 s" in end["error"]["message"]
        assert (await page.signal("opened", 2))["data"] == {"k": "kept"}
        assert other.ends(kept) == []


async def test_a_cancel_that_ends_what_runs_ends_no_process():
    async with rigged("cancels", sharing=ALONE, cancel_limit_s=0.1) as rig:
        page = rig.join("cancels")
        number = await pid(page)
        held = page.request("hold", "x")
        await page.signal("held")
        page.cancel(held)
        assert (await page.end(held))["outcome"] == "cancelled"
        begun_s = time.monotonic()
        await wait_until(lambda: time.monotonic() - begun_s > 0.3)
        assert await pid(page) == number


async def test_an_analysis_that_is_taken_out_takes_all_its_processes_along():
    async with rigged(sharing=Sharing("session", preheat=1, max_kernels=3)) as rig:
        pages = [rig.join() for _ in range(3)]
        await pages[0].run("echo")
        queued = rig.join()
        assert queued.kernel["state"] == "queued"
        pool = rig.broker._tables.pools["a"]
        rig.broker.swap({"b": rig.broker._specs["b"]})
        assert all(page.closed for page in (*pages, queued))
        await wait_until(lambda: not rig.broker._tables.by_kernel and not pool.leaving)
        assert not rig.broker._tables.sessions
        assert rig.broker.kernel_state("a") == "none"


async def test_an_analysis_may_be_shared_otherwise_while_it_runs():
    async with rigged(sharing=ALONE) as rig:
        pages = [rig.join() for _ in range(2)]
        pids = [await pid(page) for page in pages]
        specs = dict(rig.broker._specs)
        specs["a"] = dataclasses.replace(specs["a"], sharing=Sharing())
        rig.broker.swap(specs)
        later = rig.join()
        assert (await later.run("echo"))["outcome"] == "done"
        assert later.kernel["isolation"] == "analysis"
        again = [await pid(page) for page in pages]
        assert not set(again) & set(pids)  # each was restarted for it
        await close(rig, pages[1])
        assert (await pages[0].run("echo"))["outcome"] == "done"


# -- ended for want of use -------------------------------------------------------------------------


async def test_a_kernel_that_nobody_uses_is_ended_and_the_next_visit_starts_it():
    async with rigged(cull_after_s=0.2) as rig:
        page = rig.join()
        await page.run("class_state", 7)
        page.leave()
        await close(rig, page)
        await wait_until(lambda: rig.broker.kernel_state("a") == "culled")
        assert rig.kernel()["pid"] is None
        again = rig.join()
        assert again.loads("class_data") == [{"c": 7}]
        assert (await again.run("welcomed"))["result"] == [["c", 1, 7]]
        assert rig.kernel()["deaths"] == 0


async def test_an_analysis_may_have_limits_of_its_own():
    own = {"cull_after_s": 0.2, "cancel_limit_s": 0.1}
    async with rigged("cancels", sharing=ALONE, limits=own) as rig:
        page = rig.join("cancels")
        held = page.request("hold", "x")
        await page.signal("held")
        page.cancel(held)
        told = [load.get("cancel_limit_s") for load in page.loads("__kernel")]
        assert 0.1 in told
        assert (await page.end(held))["outcome"] == "cancelled"
        page.leave()
        await wait_until(lambda: rig.broker.kernel_state("cancels") == "culled")


async def test_a_session_that_waits_for_its_page_is_opened_again_in_the_next_kernel():
    async with rigged(cull_after_s=0.2) as rig:
        page = rig.join()
        await page.run("state", "kept")
        session = page.session
        page.leave()
        await wait_until(lambda: rig.broker.kernel_state("a") == "culled")
        again = rig.join(session=session)
        assert again.connected["resumed"]
        opened = await again.signal("opened", 2)
        assert opened["data"] == {"k": "kept"}
        assert "no page for 0.2 s" in opened["restored"]


async def test_a_running_action_keeps_its_kernel_though_no_page_is_there():
    async with rigged(cull_after_s=0.1) as rig:
        page = rig.join()
        number = await pid(page)
        held = page.request("hold", "x")
        await page.signal("held")
        page.leave()
        sweeps = rig.broker._tables.loop.time() + 2.5
        await wait_until(lambda: rig.broker._tables.loop.time() > sweeps)
        again = rig.join(session=page.session)
        again.request("release")
        assert (await again.end(held))["outcome"] == "done"
        assert await pid(again) == number


@pytest.mark.expected_log(DEATHS)
async def test_a_page_that_comes_while_its_kernel_is_ended_gets_the_next_one():
    async with rigged(cull_after_s=600) as rig:
        page = rig.join()
        number = await pid(page)
        (record,) = rig.broker._tables.pools["a"].records
        await close(rig, page)
        rig.kill(signal.SIGSTOP)
        rig.broker._pools._cull(record, "for the test")
        again = rig.join()
        waits = again.request("pid")
        rig.kill(signal.SIGCONT)
        assert (await again.end(waits))["result"] != number
        assert rig.broker.kernel_state("a") in ("idle", "busy")


async def test_an_unused_process_of_a_session_frees_its_place():
    async with rigged(
        sharing=Sharing("session", preheat=0, max_kernels=1), cull_after_s=0.2
    ) as rig:
        first = rig.join()
        await first.run("state", "kept")
        first.leave()
        second = rig.join()
        assert second.kernel["state"] == "queued"
        assert (await second.run("echo"))["outcome"] == "done"
        again = rig.join(session=first.session)
        assert (again.kernel["state"], again.kernel["ahead"]) == ("queued", 0)
        await close(rig, second)
        assert (await again.signal("opened", 2))["data"] == {"k": "kept"}


# -- the work that a queue makes -------------------------------------------------------------------


@pytest.fixture
def numberings(monkeypatch):
    """How often a queue is numbered."""
    counted, number_queue = [], placement.number_queue

    def count(in_use):
        numbers = number_queue(in_use)
        counted.append(len(numbers))
        return numbers

    monkeypatch.setattr(placement, "number_queue", count)
    return counted


async def test_a_queue_is_numbered_once_and_told_once_for_all_who_leave_in_a_turn(numberings):
    async with rigged(sharing=Sharing("session", preheat=0, max_kernels=1)) as rig:
        first = rig.join()
        await first.run("echo")
        queued = [rig.join() for _ in range(60)]
        assert [page.kernel["ahead"] for page in queued] == list(range(60))
        await asyncio.sleep(0.01)
        numberings.clear()
        before = [len(page.raw) for page in queued]
        for page in queued[10:30]:
            page.leave()
        await wait_until(lambda: numberings)
        assert numberings == [60]
        new = [len(page.raw) - had for page, had in zip(queued, before, strict=True)]
        assert new == [0] * 30 + [1] * 30  # nothing has changed for those before
        assert [page.kernel["ahead"] for page in queued[30:]] == list(range(10, 40))


async def test_a_queue_moves_on_for_all_sessions_that_are_closed_in_a_turn(numberings):
    async with rigged(sharing=Sharing("session", preheat=0, max_kernels=1)) as rig:
        first = rig.join()
        await first.run("echo")
        queued = [rig.join() for _ in range(30)]
        await asyncio.sleep(0.01)
        numberings.clear()
        before = [len(page.raw) for page in queued]
        for page in queued[:20]:
            await close(rig, page)
        await asyncio.sleep(0.01)
        # Once for the leaving; their kernels, which never began, end in turns of their own.
        assert len(numberings) <= 25
        assert [len(page.raw) - had for page, had in zip(queued[20:], before[20:])] == [1] * 10
        assert [page.kernel["ahead"] for page in queued[20:]] == list(range(10))
        pool = rig.broker._tables.pools["a"]
        assert len(pool.running) == 1
        assert list(pool.queue) == pool.records[1:]


@pytest.mark.expected_log(DEATHS)
async def test_only_sessions_with_pages_are_shown_a_change_and_so_many_in_a_turn(monkeypatch):
    async with rigged(turn_sessions=5) as rig:
        pages = [rig.join() for _ in range(12)]
        gone = [rig.join() for _ in range(40)]
        await pages[0].run("echo")
        for page in gone:
            page.leave()
        tables = rig.broker._tables
        composed, compose = [], tables.announcer._compose

        def count(hosted):
            composed.append(hosted)
            return compose(hosted)

        monkeypatch.setattr(tables.announcer, "_compose", count)
        rig.kill(signal.SIGKILL)
        await wait_until(lambda: all(p.kernel["generation"] == 2 for p in pages))
        await wait_until(lambda: all(p.kernel["state"] == "idle" for p in pages))
        assert {hosted.session.id_ for hosted in composed} == {page.session for page in pages}
        assert len(composed) <= 3 * len(pages)  # it died, starts, and is ready
        for page in pages:
            assert (await page.run("echo", 1))["outcome"] == "done"


@pytest.mark.expected_log(DEATHS)
async def test_a_new_kernel_is_told_of_so_many_sessions_in_a_turn_and_of_those_with_pages_first():
    async with rigged(turn_sessions=5) as rig:
        gone = [rig.join() for _ in range(40)]
        page = rig.join()
        await page.run("echo")
        for other in gone:
            other.leave()
        tables = rig.broker._tables
        record = tables.pools["a"].records[0]
        opened, turns, open_ = [], [], rig.broker._opening._open

        def count(hosted):
            opened.append(hosted)
            open_(hosted)

        rig.broker._opening._open = count
        on_part = tables.parts._on_part

        def end_part():
            turns.append(len(opened))
            on_part()

        tables.parts._on_part = end_part
        rig.kill(signal.SIGKILL)
        await wait_until(lambda: len(opened) == 41)
        assert opened[0].session.id_ == page.session
        parts = [after - before for before, after in zip([0, *turns], turns)]
        assert max(parts) <= 10  # the first of them begins before the first turn of its own
        assert all(hosted.is_open for hosted in record.sessions.values())
        back = rig.join(session=gone[-1].session)
        assert (await back.run("echo", 1))["outcome"] == "done"
