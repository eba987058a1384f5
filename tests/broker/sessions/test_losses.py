"""What a kernel takes with it: how its requests end, and what its death says against an action."""

import signal

import pytest

from tests.broker.harness import rigged

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.certain]
DEATHS = r"was ended by SIG|exited with status"


@pytest.mark.expected_log(DEATHS)
async def test_a_death_frees_the_kernels_queue():
    async with rigged(kernel_queue_bytes=2**16) as rig:
        page = rig.join()
        for _ in range(3):
            await page.run("echo")
            held = page.request("hold", b'"' + b"x" * 60_000 + b'"')
            await page.run("echo")
            rig.kill(signal.SIGKILL)
            assert (await page.end(held))["outcome"] == "lost"
        record = rig.broker._tables.pools["a"].records[0]
        assert (record.open_bytes, record.open_requests) == (0, 0)
        assert rig.broker._tables.requests == {}


@pytest.mark.expected_log(DEATHS)
async def test_a_crash_beside_others_refuses_the_action_to_its_own_session_alone():
    async with rigged() as rig:
        page, victim, other = rig.join(), rig.join(), rig.join()
        for visitor in (page, page, other, other):
            held = victim.request("hold")
            await victim.signal("held", len(victim.loads("held")) + 1)
            assert (await visitor.run("segfault"))["outcome"] == "lost"
            assert (await victim.end(held))["outcome"] == "lost"
        assert (await page.run("segfault"))["error"]["type"] == "PoisonedAction"
        assert (await victim.run("segfault"))["outcome"] == "lost"


@pytest.mark.expected_log(DEATHS)
async def test_an_action_that_was_called_last_before_a_crash_of_others_runs_for_others():
    async with rigged() as rig:
        innocent = rig.join()
        for _ in range(3):
            first, second = rig.join(), rig.join()
            first.request("hold")
            await first.signal("held")
            second.request("hold", "innocent")
            await second.signal("held")
            rig.kill(signal.SIGSEGV)
            await rig.ready()
        innocent.request("hold", "innocent")
        await innocent.signal("held")
        await rig.join().run("release")
