"""Sessions come, stay for a while without a page, and go."""

import gc

import pytest

from databench.broker.stores import Contents, MemoryStore
from databench.protocol.session import Session
from tests.broker.harness import rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]


def sweep(rig):
    """The sweep, now: it would come within a second."""
    rig.broker._sessions.reclaim.sweep()


async def test_a_session_without_a_page_stays_for_its_grace_and_no_longer():
    async with rigged(session_grace_s=0.2) as rig:
        page = rig.join()
        await page.run("echo")
        page.leave()
        sweep(rig)
        assert rig.broker.status()["sessions"] == 1
        await wait_until(lambda: sweep(rig) or rig.broker.status()["sessions"] == 0)
        back = rig.join(session=page.session)
        assert not back.connected["resumed"]
        assert back.session != page.session


async def test_the_sweep_comes_by_itself():
    async with rigged(session_grace_s=0.0) as rig:
        page = rig.join()
        await page.run("echo")
        page.leave()
        await wait_until(lambda: rig.broker.status()["sessions"] == 0)


async def test_a_session_with_a_page_stays():
    async with rigged(session_grace_s=0.0) as rig:
        first = rig.join()
        second = rig.join(session=first.session)
        await first.run("echo")
        first.leave()
        sweep(rig)
        assert (await second.run("echo"))["outcome"] == "done"


async def test_a_session_whose_action_runs_stays_and_then_keeps_its_unseen_end():
    async with rigged(session_grace_s=0.0, result_grace_s=1000.0) as rig:
        page = rig.join()
        id_ = page.request("hold")
        await page.signal("held")
        page.leave()
        sweep(rig)
        watcher = rig.join()
        await watcher.run("release")
        sweep(rig)
        back = rig.join(session=page.session)
        assert back.connected["resumed"]
        assert back.ends(id_)[0]["outcome"] == "done"


async def test_unseen_ends_are_kept_no_longer_than_their_grace():
    async with rigged(session_grace_s=0.0, result_grace_s=0.0) as rig:
        page = rig.join()
        page.request("hold")
        await page.signal("held")
        page.leave()
        watcher = rig.join()
        await watcher.run("release")
        sweep(rig)
        assert rig.broker.status()["sessions"] == 1


def held_sessions(ids):
    """How many of these sessions anything in this process still holds."""
    gc.collect()
    return sum(isinstance(held, Session) and held.id_ in ids for held in gc.get_objects())


async def leave_with_results(rig, size_bytes):
    """Three pages that left, each with an end that it did not see."""
    pages = [rig.join() for _ in range(3)]
    for page in pages:
        await page.run("echo", "x" * size_bytes)
        page.request("hold")
        await page.signal("held")
        page.leave()
    watcher = rig.join()
    await watcher.run("release")
    return pages


@pytest.mark.expected_log("closed with a result that no page saw")
async def test_sessions_that_wait_with_a_result_are_bounded_together():
    async with rigged(session_grace_s=0.0, result_bytes=150_000) as rig:
        pages = await leave_with_results(rig, 60_000)
        sweep(rig)
        assert rig.broker.status()["sessions"] == 3
        assert not rig.join(session=pages[0].session).connected["resumed"]  # the oldest
        assert rig.join(session=pages[2].session).connected["resumed"]


async def test_a_page_that_is_away_for_a_moment_is_not_closed_for_others_results():
    async with rigged(session_grace_s=1000.0, result_bytes=0) as rig:
        pages = await leave_with_results(rig, 10)
        sweep(rig)
        for page in pages:
            assert rig.join(session=page.session).connected["resumed"]


async def test_nothing_holds_a_session_that_was_closed():
    async with rigged(session_grace_s=0.0, result_grace_s=0.0) as rig:
        pages = await leave_with_results(rig, 10)
        ids = {page.session for page in pages}
        assert held_sessions(ids) == 3
        sweep(rig)
        assert held_sessions(ids) == 0


async def test_a_closed_session_is_closed_in_the_kernel_too():
    async with rigged(session_grace_s=0.0) as rig:
        page = rig.join()
        await page.run("echo")
        page.leave()
        sweep(rig)
        other = rig.join()
        assert page.session in (await other.run("closed"))["result"]


async def test_the_query_string_reaches_the_kernel():
    async with rigged() as rig:
        page = rig.join(args="?n=3")
        assert (await page.run("request_args"))["result"] == "?n=3"


async def test_sessions_do_not_share_their_state():
    async with rigged() as rig:
        one, two = rig.join(), rig.join()
        await one.run("state", 1)
        await two.run("echo")
        assert two.loads("data") == []


async def test_a_page_that_leaves_twice_counts_once():
    async with rigged() as rig:
        page = rig.join()
        second = rig.join(session=page.session)
        page.leave()
        page.leave()
        assert rig.broker.status()["pages"] == 1
        assert (await second.run("echo"))["outcome"] == "done"


# -- a person's own sessions -----------------------------------------------------------------------


async def test_a_person_is_told_of_runs_and_results_left_behind():
    async with rigged() as rig:
        ended, seen, idle, running, looked_at = (rig.join(visitor="me") for _ in range(5))
        foreign, elsewhere = rig.join(visitor="you"), rig.join("b", visitor="me")
        for page in (ended, seen):
            page.request("hold", "x")
            await page.signal("held")
        await idle.run("echo")
        ended.leave()
        seen.request("release")  # of whatever its kernel holds
        await wait_until(lambda: not rig.broker._tables.requests)
        for page in (running, looked_at, foreign, elsewhere):
            page.request("hold", "y")
            await page.signal("held")
        for page in (seen, idle, foreign, elsewhere, running):
            page.leave()
        first, second = rig.join(visitor="me").connected["others"]
        assert (first["id"], first["has_result"]) == (running.session, False)
        assert [one["action"] for one in first["running"]] == ["hold"]
        assert second == {"id": ended.session, "running": [], "has_result": True}
        assert "others" not in rig.join().connected  # nobody is known
        assert "others" not in rig.join(visitor="somebody").connected
        rig.join(session=ended.session)
        assert [one["id"] for one in rig.join(visitor="me").connected["others"]] == [
            running.session
        ]


async def test_a_person_finds_a_result_of_an_earlier_server():
    kept = Contents()
    quick = {"flush_interval_s": 0.01}
    async with rigged(store=MemoryStore(kept), **quick) as rig:
        page = rig.join(visitor="me")
        id_ = page.request("hold", "x")
        await page.signal("held")
        page.leave()
        await wait_until(lambda: kept.sessions[page.session].open == ((id_, "hold"),))
        saved = Contents()
        saved.update(kept)
    async with rigged(store=MemoryStore(saved), **quick) as rig:
        told = rig.join(visitor="me").connected["others"]
        assert told == [{"id": page.session, "running": [], "has_result": True}]
        back = rig.join(visitor="me", session=page.session)
        assert back.ends(id_)[0]["outcome"] == "lost"
        assert "others" not in rig.join(visitor="me").connected


# -- many pages, much to replay --------------------------------------------------------------------


@pytest.mark.expected_log("a page was refused: its session has 3 pages, limit 3")
async def test_a_session_has_so_many_pages_and_no_more():
    async with rigged(session_pages=3) as rig:
        pages = [rig.join()]
        pages += [rig.join(session=pages[0].session) for _ in range(2)]
        refused = rig.join(session=pages[0].session)
        assert refused.closed == (
            1013,
            "This session is open in 3 pages; the limit is 3. Close one of them.",
        )
        assert refused.raw == []
        assert rig.broker.status()["pages"] == 3
        pages[1].leave()
        assert rig.join(session=pages[0].session).connected["resumed"]


async def test_pages_that_read_nothing_hold_a_window_each_and_share_its_bytes():
    async with rigged(replay_window_bytes=10_000) as rig:
        page = rig.join()
        for number in range(40):
            await page.run("state_key", [f"k{number}", "x" * 5000])
        pages = [rig.join(session=page.session, received=None, is_slow=True) for _ in range(20)]
        page_records = [rig.broker._tables.outbox.page_records[one] for one in pages]
        assert all(sum(map(len, one.raw)) < 10_000 + 2 * 5100 for one in pages)
        assert all(page_record.in_flight_bytes < 10_000 + 2 * 5100 for page_record in page_records)
        frames = {id(frame) for one in pages for frame in one.raw if b"snapshot" in frame}
        assert len(frames) <= 3
        pages[0].is_slow = False
        rig.broker.delivered(pages[0])
        await wait_until(lambda: len(pages[0].loads("data")) == 40)
        assert [next(iter(load)) for load in pages[0].loads("data")] == [f"k{n}" for n in range(40)]


async def test_what_comes_during_a_replay_follows_it():
    async with rigged(replay_window_bytes=100) as rig:
        page = rig.join()
        for number in range(10):
            await page.run("echo", number)
        late = rig.join(session=page.session, is_slow=True)
        before = len(late.raw)
        await page.run("echo", "live")
        assert len(late.raw) == before
        late.is_slow = False
        rig.broker.delivered(late)
        await wait_until(lambda: len(late.loads("echo")) == 11 and late.raw[-1] == page.raw[-1])
        stream = [frame for frame in late.raw if b"__kernel" not in frame]
        assert stream[1:] == [f for f in page.raw if b"__kernel" not in f][1:]


# -- links of sessions


async def test_a_page_is_told_that_it_came_by_a_link_and_whether_its_session_has_ended():
    async with rigged() as rig:
        page = rig.join()
        assert "linked" not in rig.join(session=page.session).connected
        told = rig.join(session=page.session, is_linked=True).connected
        assert (told["linked"], told["resumed"]) == (True, True)
        told = rig.join(is_linked=True).connected
        assert (told["linked"], told["resumed"]) == (True, False)


async def test_a_session_is_there_for_pages_of_its_analysis():
    kept = Contents()
    async with rigged(store=MemoryStore(kept), flush_interval_s=0.01) as rig:
        page = rig.join()
        assert rig.broker.has_session("a", page.session)
        assert not rig.broker.has_session("b", page.session)
        assert not rig.broker.has_session("a", "another")
        await wait_until(lambda: page.session in kept.sessions)
        saved = Contents()
        saved.update(kept)
    async with rigged(store=MemoryStore(saved)) as rig:
        assert rig.broker.has_session("a", page.session)
        assert not rig.broker.has_session("b", page.session)


# -- the memory of the whole server ----------------------------------------------------------------


def budget_of(rig):
    return rig.broker.budget


async def wait_settled(rig):
    """Until nothing is in flight and nothing more is given back."""
    await wait_until(
        lambda: (
            not rig.broker._tables.requests
            and not any(r.counted_bytes for r in rig.broker._tables.outbox.page_records.values())
        )
    )


@pytest.mark.expected_log("memory_budget_bytes")
async def test_over_the_budget_seen_sessions_go_first_and_their_pages_are_shown_why():
    async with rigged(memory_budget_bytes=400_000) as rig:
        stays = rig.join()
        seen = []
        for _ in range(3):
            page = rig.join()
            await page.run("state_key", ["k", "x" * 20_000])
            await wait_settled(rig)
            page.leave()
            seen.append(page)
        unseen = rig.join()
        unseen.request("hold", "y")
        await unseen.signal("held")
        unseen.leave()
        await stays.run("release")
        budget_of(rig).take(None, 400_000 - budget_of(rig).total_bytes)
        assert len(rig.broker._tables.holdings.room) == 4
        budget_of(rig).take(None, 1)
        await wait_until(lambda: not budget_of(rig).is_over)
        room = rig.broker._tables.holdings.room
        assert [page.session in room for page in (*seen, unseen)] == [False, True, True, True]
        back = rig.join(session=seen[0].session)
        assert not back.connected["resumed"]
        assert "was short of memory" in back.loads("error")[0]
        assert (await stays.run("echo"))["outcome"] == "done"


@pytest.mark.expected_log("memory_budget_bytes")
async def test_of_unseen_results_only_the_largest_clients_go_and_running_ones_never():
    async with rigged(memory_budget_bytes=10**6) as rig:
        pages = [rig.join(visitor=visitor) for visitor in ("small", "large", "large", "large")]
        for page in pages[:3]:
            await page.run("state_key", ["k", "x" * (1000 if page is pages[0] else 50_000)])
        for page in pages:
            page.request("hold", "y")
            await page.signal("held")
            page.leave()
        watcher = rig.join()
        await watcher.run("release")
        await wait_until(lambda: len(rig.broker._tables.holdings.room) == 4)
        running = rig.join(visitor="large")
        running.request("hold", "y")
        await running.signal("held")
        running.leave()
        room = rig.broker._tables.holdings.room
        budget = budget_of(rig)
        filler = budget.budget_bytes - budget.total_bytes + 1
        budget.take(None, filler)
        budget.give(None, budget.budget_bytes // 10 - 60_000)  # less than one large one is over
        await wait_until(lambda: not budget.is_over)
        assert [page.session in room for page in pages] == [True, False, True, True]
        assert running.session in rig.broker._tables.sessions
        back = rig.join(session=pages[1].session)
        assert "before you saw its last result" in back.loads("error")[0]


@pytest.mark.expected_log("memory_budget_bytes")
async def test_over_the_budget_nothing_new_begins_and_what_runs_goes_on():
    async with rigged(memory_budget_bytes=400_000, replay_window_bytes=10_000) as rig:
        page = rig.join()
        await page.run("state_key", ["k", "x" * 20_000])
        await wait_settled(rig)
        page.request("hold", "y")
        await page.signal("held")
        budget_of(rig).take(None, 400_000)
        assert rig.join().closed == (1013, "The server is short of memory. Try again in a moment.")
        assert rig.join(session=page.session).closed[0] == 1013  # much would be replayed
        end = await page.run("echo", "x" * 5000)
        assert (end["outcome"], end["error"]["type"]) == ("error", "ServerShortOfMemory")
        await page.run("state_key", ["k2", "x" * 1000])  # little is taken
        await page.run("state_key", ["k3", "x" * 300])
        assert (await page.run("release"))["outcome"] == "done"
        budget_of(rig).give(None, 400_000)
        assert rig.join().connected
        assert (await page.run("echo", "x" * 5000))["outcome"] == "done"


@pytest.mark.expected_log("memory_budget_bytes", "short of memory")
async def test_whatever_one_client_does_the_sum_stays_within_the_budget():
    limit_bytes = 2_000_000
    async with rigged(memory_budget_bytes=limit_bytes, ring_bytes=200_000) as rig:
        budget, most = budget_of(rig), 0
        pages = []
        for number in range(40):
            page = rig.join(is_slow=number % 2, visitor=f"p{number % 5}")
            if page.closed:
                continue
            pages.append(page)
            for step in range(4):
                ids = [page.request("state_key", [f"k{step}", "x" * 30_000])]
                ids.append(page.request("echo", "y" * 30_000))
                await wait_until(lambda: not rig.broker._tables.requests)
                most = max(most, budget.total_bytes)
            rig.join(session=page.session, received=None, is_slow=True)
            if number % 3 == 0:
                page.leave()
            most = max(most, budget.total_bytes)
        # One message of each session may be on its way when it is reached.
        assert limit_bytes / 2 < most < limit_bytes + len(pages) * 70_000
        for page in list(rig.broker._tables.outbox.page_records):
            page.leave()
        await wait_until(lambda: not budget.is_over)
        assert rig.join().connected


# -- shares ----------------------------------------------------------------------------------------


@pytest.mark.expected_log("the oldest without a page is closed", "a page was refused")
async def test_a_client_that_leaves_many_results_behind_locks_nobody_out():
    async with rigged(sessions=10) as rig:
        watcher = rig.join()
        await watcher.run("echo")
        pages = [page for _ in range(30) if not (page := rig.join()).closed]
        assert len(pages) == 9
        for page in pages:
            page.request("hold", "y")
            page.leave()
        assert rig.join().closed  # they run: none of them may go
        await watcher.run("release")
        await wait_until(lambda: len(rig.broker._tables.holdings.room) == 9)
        victim = rig.join(address="192.0.2.7", visitor="victim")
        assert victim.connected
        assert (await victim.run("echo"))["outcome"] == "done"


@pytest.mark.expected_log("the oldest without a page is closed")
async def test_a_person_over_its_share_loses_its_own_and_is_shown_why():
    async with rigged(sessions_per_person=2) as rig:
        other, *mine = (rig.join(visitor=visitor) for visitor in ("you", "me", "me"))
        for page in (other, *mine):
            page.leave()
        rig.join(visitor="me")
        assert other.session in rig.broker._tables.sessions
        assert mine[0].session not in rig.broker._tables.sessions
        back = rig.join(session=mine[0].session, visitor="you")
        assert "more sessions than one visitor may have" in back.loads("error")[0]


@pytest.mark.expected_log("a page was refused")
async def test_an_address_has_a_share_of_its_own():
    async with rigged(sessions_per_address=2) as rig:
        for _ in range(2):
            rig.join(address="192.0.2.7")
        assert rig.join(address="192.0.2.7").closed[0] == 1013
        assert rig.join(address="192.0.2.8").connected
        assert all(rig.join().connected for _ in range(5))  # the loopback interface has none


async def test_many_sessions_are_closed_in_parts():
    async with rigged(session_grace_s=0.0, turn_sessions=100) as rig:
        for _ in range(250):
            rig.join().leave()
        sweep(rig)
        assert rig.broker.status()["sessions"] == 150
        await wait_until(lambda: rig.broker.status()["sessions"] == 0)
