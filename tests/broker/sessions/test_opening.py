"""Kernels are told of their sessions, and those whose start ends them are set aside."""

import signal

import pytest

from databench.protocol.placement import SESSION, Sharing
from tests.broker.harness import rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]
ASIDE = "was ended by|exited with|while a session started; that session is set aside"


def asides(page):
    """What the page was shown of its session being set aside, each time that it was."""
    return [text for text in page.loads("error") if "is set aside" in text]


async def set_aside(page):
    """Waits until the page shows that its session is set aside; why."""
    found = await wait_until(lambda: asides(page), what="aside")
    assert (await page.kernel_state("failed"))["reason"].upper() in found[-1].upper()
    return found[-1]


async def works(page):
    """Whether its session runs actions."""
    return (await page.run("echo"))["outcome"] == "done"


@pytest.mark.expected_log(ASIDE)
@pytest.mark.parametrize(
    ("args", "how"),
    [
        ("crash", "was ended by SIGSEGV"),
        ("late", "was ended by SIGSEGV"),
        ("exit", "exited with status 0"),
    ],
)
async def test_a_session_whose_start_ends_its_kernel_is_set_aside_and_the_others_go_on(args, how):
    async with rigged(restart_limit=2) as rig:
        innocent = rig.join()
        await innocent.run("state_key", ["k", "x"])
        guilty = rig.join(args=args)
        why = await set_aside(guilty)
        assert f"The kernel {how} while this session started. " in why
        assert "press Start again" in why
        assert await works(innocent)
        assert innocent.loads("opened")[-1]["data"] == {"k": "x"}
        assert not asides(innocent)
        end = await guilty.run("echo")
        assert end["error"]["type"] == "SessionSetAside"
        assert rig.kernel()["state"] == "idle"
        assert await works(rig.join())


@pytest.mark.expected_log(ASIDE)
async def test_of_several_starts_the_guilty_one_is_found():
    async with rigged(restart_limit=2) as rig:
        before = rig.join()
        guilty = rig.join(args="crash")
        waiting = guilty.request("echo")
        after = [rig.join() for _ in range(3)]  # all of them before the kernel is there
        await set_aside(guilty)
        for page in (before, *after):
            assert await works(page)
            assert not asides(page)
        assert (await guilty.end(waiting))["outcome"] in ("error", "lost")
        assert rig.kernel()["state"] == "idle"


@pytest.mark.expected_log(ASIDE)
async def test_however_many_sessions_one_visitor_has_the_analysis_does_not_fail():
    async with rigged(restart_limit=2) as rig:
        innocent = rig.join()
        assert await works(innocent)
        guilty = [rig.join(args=args) for args in ("crash", "late", "exit", "crash")]
        for page in guilty:
            await set_aside(page)
        assert await works(innocent)
        again = rig.join(args="crash")
        await set_aside(again)
        assert await works(innocent)
        states = {load["state"] for load in innocent.loads("__kernel")}
        assert "failed" not in states


@pytest.mark.expected_log(ASIDE)
async def test_start_again_a_reload_and_new_code_try_it_once_more(tmp_path):
    cause = tmp_path / "cause"
    cause.touch()
    async with rigged(restart_limit=2) as rig:
        innocent, guilty = rig.join(), rig.join(args=f"crash={cause}")
        await set_aside(guilty)

        guilty.control("restart")  # it is still there: set aside again, and no one else is
        await wait_until(lambda: len(asides(guilty)) == 2)
        assert await works(innocent)
        await guilty.kernel_state("failed")

        connected_again = rig.join(
            session=guilty.session, epoch=guilty.connected["epoch"], args=f"crash={cause}"
        )
        assert (await connected_again.kernel_state("failed"))["reason"]
        cause.unlink()
        assert (await connected_again.run("echo"))["error"]["type"] == "SessionSetAside"
        assert await works(rig.join(session=guilty.session))
        assert await works(guilty)

        cause.touch()
        rig.kill(9)  # says nothing of the session, but the next start does
        await wait_until(lambda: len(asides(guilty)) == 3)
        cause.unlink()
        rig.broker.change_code("a", "analysis.py", at_once=True)
        assert await wait_until(lambda: guilty.kernel["state"] == "idle")
        assert await works(guilty)


@pytest.mark.expected_log(ASIDE)
async def test_a_page_has_it_tried_again_as_often_as_it_may_restart_a_kernel():
    async with rigged(kernel_restarts=2) as rig:
        guilty = rig.join(args="crash")
        await set_aside(guilty)
        for count in (2, 3):
            guilty.control("restart")
            await wait_until(lambda count=count: len(asides(guilty)) == count)
            await rig.ready()
        guilty.control("restart")
        await wait_until(lambda: any("too many restarts" in e for e in guilty.loads("error")))
        assert rig.kernel()["generation"] == 4


@pytest.mark.expected_log(ASIDE)
async def test_a_start_that_eats_the_memory_is_set_aside():
    async with rigged(restart_limit=2, kernel_memory_bytes=2**27) as rig:
        innocent = rig.join()
        assert await works(innocent)
        guilty = rig.join(args="eat")
        assert "kernel_memory_bytes" in await set_aside(guilty)
        assert await works(innocent)


@pytest.mark.expected_log(ASIDE, "has not answered")
async def test_a_start_that_hangs_the_kernel_until_its_limit_is_set_aside():
    quick = {"ping_interval_s": 0.1, "ping_missed": 2, "hang_timeout_s": 3.0}
    async with rigged(restart_limit=5, **quick) as rig:
        innocent = rig.join()
        assert await works(innocent)
        guilty = rig.join(args="hang")
        assert "hang_timeout_s" in await set_aside(guilty)
        assert await works(innocent)


@pytest.mark.expected_log(ASIDE)
async def test_alone_in_its_kernel_it_is_started_again_by_its_page(tmp_path):
    cause = tmp_path / "cause"
    cause.touch()
    async with rigged(sharing=Sharing(SESSION, 1, 0, 4)) as rig:
        guilty = rig.join(args=f"crash={cause}")
        await set_aside(guilty)
        cause.unlink()
        guilty.control("restart")
        assert await works(guilty)


@pytest.mark.expected_log(ASIDE)
async def test_a_suspect_that_takes_long_holds_up_the_others_no_longer_than_its_limit():
    async with rigged(start_alone_s=0.05) as rig:
        slow = rig.join(args="sleep")
        innocent = rig.join()
        kernel = rig.broker._tables.records[0].kernel
        kernel.blame.starts._suspects.append(slow.session)
        assert await works(innocent)
        assert await works(slow)


@pytest.mark.expected_log("SIGKILL")
async def test_a_session_set_aside_is_forgotten_with_its_end():
    async with rigged(session_grace_s=0.0, result_grace_s=0.0) as rig:
        page = rig.join()
        assert await works(page)
        starts = rig.broker._tables.records[0].kernel.blame.starts
        assert list(starts._starts) == [page.session]
        page.leave()
        await wait_until(lambda: not starts._starts)


# -- kernels that read nothing ---------------------------------------------------------------------


async def test_sessions_that_a_kernel_does_not_read_wait_in_the_front():
    limit_bytes = 2**16
    async with rigged(kernel_queue_bytes=limit_bytes) as rig:
        page = rig.join()
        await page.run("echo")
        record = rig.broker._tables.records[0]
        rig.kill(signal.SIGSTOP)
        pages = [rig.join(args="x" * 2000) for _ in range(100)]
        assert limit_bytes < record.unread.size_bytes < limit_bytes + 4000
        assert sum(hosted.is_open for hosted in record.sessions.values()) < 50
        rig.kill(signal.SIGCONT)
        for other in pages:
            assert await works(other)
        assert all(hosted.is_open for hosted in record.sessions.values())


@pytest.mark.expected_log("without credit")
async def test_a_kernel_that_ignores_its_credit_ends_also_where_no_page_is_there():
    async with rigged(credit_window_bytes=2**16) as rig:
        page = rig.join()
        await page.run("echo")
        page.request("flood", 1000)
        page.leave()
        await wait_until(lambda: rig.kernel()["deaths"])
        record = rig.broker._tables.records[0]
        assert "bytes without credit, limit 131072" in record.losses[-1].reason


# -- state that ends whoever gets it back ----------------------------------------------------------


@pytest.mark.expected_log("SIGKILL", "SIGSEGV", "the state of one session, .* bytes, is dropped")
async def test_state_that_kills_each_process_which_gets_it_back_is_dropped():
    async with rigged(restart_limit=5, backoff_first_s=0.01, restore_deaths=2) as rig:
        innocent, guilty = rig.join(), rig.join()
        await innocent.run("state_key", ["k", "x"])
        await guilty.run("state_key", ["k", "deadly"])
        rig.kill(9)
        await guilty.signal("error")
        await wait_until(
            lambda: any("server dropped the state" in text for text in guilty.loads("error"))
        )
        assert (await innocent.run("echo"))["outcome"] == "done"
        assert innocent.loads("opened")[-1]["data"] == {"k": "x"}
        assert guilty.loads("opened")[-1]["data"] == {}
        assert not any("server dropped the state" in text for text in innocent.loads("error"))
        assert (await guilty.run("echo"))["outcome"] == "done"


@pytest.mark.expected_log("SIGKILL", "SIGSEGV", "the state of one session, .* bytes, is dropped")
async def test_where_no_session_is_to_blame_the_largest_state_is_dropped():
    async with rigged(restart_limit=5, restore_deaths=2, start_settle_s=0.0) as rig:
        small, large = rig.join(), rig.join()
        await small.run("state_key", ["k", "x"])
        await large.run("state_key", ["k", "deadly later"])
        rig.kill(9)
        await wait_until(
            lambda: any("server dropped the state" in text for text in large.loads("error"))
        )
        assert await works(large)
        assert large.loads("opened")[-1]["data"] == {}
        assert await works(small)
        assert small.loads("opened")[-1]["data"] == {"k": "x"}


@pytest.mark.expected_log("SIGSEGV")
async def test_a_death_by_an_action_drops_no_state():
    async with rigged(restart_limit=9, backoff_first_s=0.01, restore_deaths=1) as rig:
        page = rig.join()
        await page.run("state_key", ["k", "x"])
        for number in range(3):
            assert (await page.run("segfault", number))["outcome"] == "lost"
            await rig.ready()
        await page.run("echo")
        assert page.loads("opened")[-1]["data"] == {"k": "x"}
