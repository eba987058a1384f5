"""What pages ask for: limits, cancels, forced ends, interrupts."""

import asyncio
import signal

import pytest

from tests.broker.harness import rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.certain]
DEATHS = r"was ended by SIG|exited with status"


async def test_beyond_the_open_actions_limit_a_request_ends_at_once():
    async with rigged(open_actions=3) as rig:
        page = rig.join()
        held = [page.request("hold") for _ in range(3)]
        refused = page.request("hold")
        (end,) = page.ends(refused)
        assert end["outcome"] == "error"
        assert end["error"]["type"] == "TooManyActions"
        assert "open actions: 3, the limit" in end["error"]["message"]
        other = rig.join()  # another session has its own count
        await wait_until(lambda: len(page.loads("held")) == 3)
        await other.run("release")
        assert all(page.ends(id_)[0]["outcome"] == "done" for id_ in held)
        assert (await page.run("echo"))["outcome"] == "done"


async def test_what_waits_for_a_kernel_is_bounded():
    async with rigged(kernel_queue_bytes=2**16) as rig:
        page = rig.join()
        await page.run("echo")
        held = page.request("hold", b'"' + b"x" * 40_000 + b'"')
        refused = page.request("echo", b'"' + b"x" * 40_000 + b'"')
        (end,) = page.ends(refused)
        assert end["error"]["type"] == "KernelQueueFull"
        assert "bytes wait for its kernel, limit 65536; not run" in end["error"]["message"]
        await page.run("release")
        assert page.ends(held)[0]["outcome"] == "done"
        assert (await page.run("echo", b'"' + b"x" * 40_000 + b'"'))["outcome"] == "done"


async def test_what_waits_for_a_kernel_that_has_not_started_is_bounded_too():
    async with rigged("mute", kernel_queue_bytes=2**16, shutdown_limit_s=0.5) as rig:
        page = rig.join("mute")
        waits = page.request("echo", b'"' + b"x" * 40_000 + b'"')
        refused = page.request("echo", b'"' + b"x" * 40_000 + b'"')
        assert page.ends(waits) == []
        assert page.ends(refused)[0]["error"]["type"] == "KernelQueueFull"
        page.cancel(waits)
        again = page.request("echo", b'"' + b"x" * 40_000 + b'"')
        assert page.ends(again) == []


# -- what a page may ask for -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["connect", "args", "connected", "disconnected", "set_state"])
async def test_what_is_no_action_does_not_reach_a_kernel(name):
    async with rigged() as rig:
        page = rig.join()
        early = page.request(name)  # before the kernel has begun
        await page.run("echo")
        late = page.request(name)
        for id_ in (early, late):
            (end,) = page.ends(id_)
            assert (end["outcome"], end["error"]["type"]) == ("error", "ActionError")
            assert "not run" in end["error"]["message"]
        assert rig.broker._tables.requests == {}
        assert rig.broker._tables.pools["a"].records[0].open_bytes == 0


async def test_a_kernel_says_which_actions_pages_may_ask_for():
    async with rigged("declares") as rig:
        page = rig.join("declares")
        refused = [page.request(name) for name in ("result", "connected")]
        assert (await page.run("echo"))["outcome"] == "done"
        assert [page.ends(id_)[0]["outcome"] for id_ in refused] == ["error", "error"]
        taken = await page.run("set_state")  # which this kernel does not know
        assert taken["error"]["type"] == "LookupError"


@pytest.mark.expected_log(DEATHS)
async def test_each_process_of_a_kernel_says_so_for_itself():
    async with rigged("declares") as rig:
        page = rig.join("declares")
        await page.run("echo")
        record = rig.broker._tables.pools["declares"].records[0]
        rig.kill(signal.SIGKILL, "declares")
        await wait_until(lambda: record.declared.others)
        assert (await page.run("echo"))["outcome"] == "done"
        assert not record.declared.others


# -- new code --------------------------------------------------------------------------------------


async def test_pages_without_the_right_are_shown_no_path():
    async with rigged() as rig:
        page, stranger = rig.join(), rig.join(may_administer=False)
        await page.run("echo")
        held = stranger.request("hold")
        await stranger.signal("held")
        rig.broker.code.change("a", "deep/secret.py", at_once=False)
        assert page.kernel["code_change"] == "deep/secret.py"
        assert stranger.kernel["code_change"] == "a"
        rig.broker.code.change("a", "deep/secret.py", at_once=True)
        assert (await stranger.end(held))["outcome"] == "lost"
        assert (await stranger.run("echo"))["outcome"] == "done"
        said = str(stranger.loads("__kernel") + stranger.loads("__process"))
        assert "code changed" in said and "secret" not in said


# -- cancel ----------------------------------------------------------------------------------------


async def test_a_request_that_was_not_sent_is_cancelled_at_once():
    async with rigged("mute", shutdown_limit_s=0.5) as rig:
        page = rig.join("mute")
        id_ = page.request("echo")
        page.cancel(id_)
        (end,) = page.ends(id_)
        assert end["outcome"] == "cancelled"
        assert rig.kernel("mute")["deaths"] == 0


async def test_a_kernel_that_reads_nothing_is_asked_to_cancel_so_often_and_no_more():
    """Each would wait in the front's memory until it reads again."""
    async with rigged(cancel_attempts=3, shutdown_limit_s=0.5) as rig:
        page, other = rig.join(), rig.join()
        await page.run("echo")
        id_ = page.request("freeze", 30)
        kernel = rig.broker._tables.pools["a"].records[0].kernel
        asked, interrupt = [], kernel.interrupt
        kernel.interrupt = lambda *page_record: asked.append(page_record) or interrupt(*page_record)
        before = len(page.raw)
        for _ in range(500):
            page.cancel(id_)
            page.control("interrupt")
        assert [attempt for _, attempt in asked] == [1, 2, 3]
        assert len(page.raw) - before == 1  # it is cancelling
        assert page.kernel["state"] == "cancelling"
        assert page.ends(id_) == []
        assert all(load["state"] != "cancelling" for load in other.loads("__kernel"))


async def test_a_kernel_that_can_cancel_is_asked():
    async with rigged("cancels") as rig:
        page, other = rig.join("cancels"), rig.join("cancels")
        id_, theirs = page.request("hold"), other.request("hold")
        await other.signal("held")
        await page.signal("held")
        page.cancel(id_)
        assert page.kernel["state"] == "cancelling"
        assert page.kernel["cancel_limit_s"] == rig.broker._settings.cancel_limit_s
        assert "cancelling" not in [load["state"] for load in other.loads("__kernel")]
        assert (await page.end(id_))["outcome"] == "cancelled"
        assert page.kernel["state"] in ("busy", "idle")
        await page.run("release")
        assert other.ends(theirs)[0]["outcome"] == "done"


async def test_a_cancel_of_what_has_ended_or_never_was_is_harmless():
    async with rigged("cancels") as rig:
        page = rig.join("cancels")
        id_ = page.request("echo")
        await page.end(id_)
        page.cancel(id_)
        page.cancel(987654)
        assert (await page.run("echo"))["outcome"] == "done"
        assert len(page.ends(id_)) == 1


@pytest.mark.expected_log("ended by a page that cancelled 'never'")
async def test_a_kernel_that_cannot_cancel_is_ended_where_nobody_else_is_touched():
    async with rigged(restart_limit=2, backoff_first_s=60.0) as rig:
        page = rig.join()
        await page.signal("opened")
        for generation in (2, 3, 4, 5):  # a wish of a page is no fault of the kernel
            id_ = page.request("never")
            page.cancel(id_)
            end = await page.end(id_)
            assert end["outcome"] == "lost"
            assert "ended by a page that cancelled 'never'" in end["error"]["message"]
            await page.signal("opened", generation)
        assert (await page.run("echo"))["outcome"] == "done"


@pytest.mark.expected_log("ended by a page that cancelled 'never'")
async def test_a_kernel_that_others_share_is_ended_by_force_alone():
    async with rigged() as rig:
        page, other = rig.join(), rig.join()
        id_, theirs = page.request("never"), other.request("never")
        await page.run("echo")
        page.cancel(id_)
        assert page.kernel["state"] == "cancelling"
        assert page.kernel["sessions"] == 2  # so many would be touched
        await page.run("echo")  # it goes on
        assert page.ends(id_) == []
        page.cancel(id_, force=True)
        assert (await page.end(id_))["outcome"] == "lost"
        assert (await other.end(theirs))["outcome"] == "lost"
        assert (await other.run("echo"))["outcome"] == "done"


# ---------------------------------------------------------------- what others share


def visitor(rig, **more):
    """A page of a stranger."""
    return rig.join(may_administer=False, **more)


async def test_visitor_does_not_end_a_kernel_that_others_use():
    async with rigged() as rig:
        page, other = visitor(rig), visitor(rig)
        theirs = other.request("hold")
        id_ = page.request("never")
        await page.run("echo")
        page.control("restart")
        problem = await page.signal("error")
        assert problem == (
            "The kernel was not restarted: other sessions use it too, and only an administrator "
            "may end what they run. Ask Ada."
        )
        page.cancel(id_, force=True)
        assert (await page.signal("error", 2)).startswith("The kernel was not ended: ")
        assert page.ends(id_) == other.ends(theirs) == []
        assert page.kernel["shared"] is True
        page.cancel(id_)  # its own affair
        await page.run("echo")
        assert rig.kernel()["generation"] == 1


@pytest.mark.expected_log("restarted by a page")
async def test_administrator_ends_a_kernel_that_others_use():
    async with rigged() as rig:
        page, other = rig.join(), visitor(rig)
        theirs = other.request("never")
        await other.run("echo")
        page.control("restart")
        assert (await other.end(theirs))["outcome"] == "lost"


@pytest.mark.expected_log("restarted by a page")
async def test_visitor_restarts_a_kernel_that_nobody_else_uses():
    async with rigged() as rig:
        page = visitor(rig)
        id_ = page.request("never")
        await page.run("echo")
        assert "shared" not in page.kernel
        page.control("restart")
        assert (await page.end(id_))["outcome"] == "lost"


@pytest.mark.expected_log("ended by a page that cancelled 'never'")
async def test_session_that_runs_something_without_a_page_uses_the_kernel():
    async with rigged() as rig:
        page, other = visitor(rig), visitor(rig)
        other.request("hold")
        await other.run("echo")
        rig.broker.leave(other)
        id_ = page.request("never")
        await page.run("echo")
        page.cancel(id_, force=True)
        assert "other sessions use it too" in await page.signal("error")
        await page.run("release")  # ends what the other session runs
        page.cancel(id_, force=True)
        assert (await page.end(id_))["outcome"] == "lost"


async def test_pages_are_shown_that_the_kernel_is_shared_and_that_it_is_not_any_more():
    async with rigged() as rig:
        page = visitor(rig)
        await rig.ready()
        assert "shared" not in page.kernel
        other = visitor(rig)
        assert page.kernel["shared"] is other.kernel["shared"] is True
        rig.broker.leave(other)
        assert "shared" not in page.kernel


async def test_two_pages_of_one_session_share_with_nobody():
    async with rigged() as rig:
        page = visitor(rig)
        await rig.ready()
        visitor(rig, session=page.session)
        assert "shared" not in page.kernel


@pytest.mark.expected_log("exited with status 3", "restarted by a page")
async def test_visitor_starts_a_failed_kernel_though_others_wait_for_it():
    async with rigged("dies", "a") as rig:
        page, _other = visitor(rig, analysis="dies"), visitor(rig, analysis="dies")
        await page.kernel_state("failed")
        page.control("restart")
        await page.kernel_state("starting")
        assert page.loads("error") == []


# ---------------------------------------------------------------- tracebacks


async def test_traceback_is_for_pages_with_the_right_alone_of_one_session_too():
    async with rigged() as rig:
        page = rig.join()
        stranger = visitor(rig, session=page.session)
        assert page.connected["may_administer"] is True
        assert "may_administer" not in stranger.connected
        id_ = page.request("fail")
        ends = [(await one.end(id_))["error"] for one in (page, stranger)]
        assert [end["traceback"] for end in ends] == ["trace", None]
        assert ends[0]["message"] == ends[1]["message"]
        late = visitor(rig, session=page.session)  # out of the ring
        assert (await late.end(id_))["error"]["traceback"] is None


async def test_interrupt_asks_for_the_end_of_every_sent_request():
    async with rigged("cancels") as rig:
        page = rig.join("cancels")
        ids = [page.request("hold") for _ in range(3)]
        await page.signal("held", 3)
        page.control("interrupt")
        ends = await asyncio.gather(*map(page.end, ids))
        assert {end["outcome"] for end in ends} == {"cancelled"}


async def test_the_kernel_is_busy_while_a_request_is_open():
    async with rigged() as rig:
        page = rig.join()
        await rig.ready()
        page.request("hold")
        assert rig.broker.kernel_state("a") == "busy"
        await page.run("release")
        assert rig.broker.kernel_state("a") == "idle"


# -- restarts by pages -----------------------------------------------------------------------------


@pytest.mark.expected_log("restarted by a page")
async def test_a_kernel_is_restarted_by_pages_so_often_within_a_time_and_no_more():
    async with rigged(kernel_restarts=3) as rig:
        page, other = rig.join("a"), rig.join("b")
        await page.run("echo")
        await other.run("echo")
        for life in range(2, 5):
            page.control("restart")
            await page.signal("opened", life)
        for _ in range(20):
            page.control("restart")
        assert (await page.run("echo"))["outcome"] == "done"
        assert rig.kernel()["generation"] == 4
        assert len(page.loads("error")) == 20
        told = "The kernel was not restarted: pages have asked for too many restarts within 60 s. "
        assert page.loads("error")[0].startswith(told + "Try again in ")
        other.control("restart")
        await other.signal("opened", 2)  # each kernel has its own count


@pytest.mark.expected_log("restarted by a page")
async def test_a_visitor_restarts_so_many_kernels_within_a_time_and_no_more():
    async with rigged("a", "b", "c", visitor_restarts=2) as rig:
        pages = [rig.join(name, visitor="one") for name in "abc"]
        for page in pages:
            await page.run("echo")
        for page in pages:
            page.control("restart")
        await pages[0].signal("opened", 2)
        await pages[1].signal("opened", 2)
        assert (await pages[2].run("echo"))["outcome"] == "done"
        assert rig.kernel("c")["generation"] == 1
        another = rig.join("c", visitor="another")
        await another.run("echo")
        another.control("restart")
        await another.signal("opened", 2)
