"""What people see of kernels, and what they may ask of them."""

import signal

import pytest

from databench.broker.overview import COMMANDS, Overview, outline
from databench.broker.records import LOSSES
from tests.broker.harness import is_alive, rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]
ENDED = "was ended by SIG|from the kernel page"


def only(rig):
    (told,) = rig.broker.kernels()
    return told


async def test_running_action_sessions_and_usage_are_told():
    async with rigged() as rig:
        assert rig.broker.kernels() == []
        page, other = rig.join(), rig.join()
        await other.run("echo")
        page.request("hold")
        await wait_until(lambda: page.loads("held"))
        told = only(rig)
        assert told.items() >= outline(rig.broker._tables.pools["a"].records[0].kernel).items()
        assert (told["state"], told["sessions"], told["pages"]) == ("busy", 2, 2)
        (run,) = told["running"]
        assert (run["action"], run["session"], run["is_waiting"]) == ("hold", 1, False)
        assert run["elapsed_s"] >= 0
        assert told["memory_bytes"] > 2**20
        assert told["processes"] >= 1
        assert told["processor_percent"] >= 0
        assert page.session not in str(told)  # whoever knows it may join
        await other.run("release")
        assert only(rig)["running"] == []


@pytest.mark.expected_log(ENDED)
async def test_ends_are_remembered_with_generation_and_reason():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        rig.kill(signal.SIGKILL)
        await wait_until(lambda: only(rig)["restarts"])
        assert rig.broker.command_kernel(only(rig)["kernel"], "restart") == ""
        await wait_until(lambda: len(only(rig)["restarts"]) == 2)
        latest, first = only(rig)["restarts"]
        assert (first["generation"], latest["generation"]) == (1, 2)
        assert "SIGKILL" in first["reason"]
        assert "restarted from the kernel page" in latest["reason"]
        assert (await page.run("echo"))["outcome"] == "done"
        losses = rig.broker._tables.pools["a"].records[0].losses
        losses.extend(losses * LOSSES)
        assert len(only(rig)["restarts"]) == LOSSES


async def test_interrupt_ends_what_runs_and_the_kernel_stays():
    async with rigged("cancels") as rig:
        page, other = rig.join("cancels"), rig.join("cancels")
        held = [page.request("hold"), other.request("hold")]
        await wait_until(lambda: page.loads("held") and other.loads("held"))
        before = only(rig)
        assert before["can_interrupt"]
        assert rig.broker.command_kernel(before["kernel"], "interrupt") == ""
        assert only(rig)["state"] == "cancelling"
        for each, id_ in zip((page, other), held, strict=True):
            assert (await each.end(id_))["outcome"] == "cancelled"
            assert "cancelling" in [load["state"] for load in each.loads("__kernel")]
        assert (only(rig)["pid"], only(rig)["restarts"]) == (before["pid"], [])


async def test_kernel_that_cannot_be_interrupted_says_so():
    async with rigged() as rig:
        await rig.join().run("echo")
        assert not only(rig)["can_interrupt"]
        problem = rig.broker.command_kernel(only(rig)["kernel"], "interrupt")
        assert problem == "kernel 'a' cannot be interrupted; restart it instead"


@pytest.mark.expected_log(ENDED)
async def test_stopped_kernel_stays_so_until_somebody_asks():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        held = page.request("hold")
        await wait_until(lambda: page.loads("held"))
        before = only(rig)
        assert rig.broker.command_kernel(before["kernel"], "stop") == ""
        assert (await page.end(held))["outcome"] == "lost"
        assert (await page.kernel_state("failed"))["reason"].endswith("from the kernel page")
        assert not is_alive(before["pid"])
        told = only(rig)
        assert (told["state"], told["pid"], told["age_s"]) == ("stopped", None, None)
        assert told["deaths"] == 0
        assert (await page.run("echo"))["outcome"] == "error"
        page.control("restart")
        assert (await page.run("echo"))["outcome"] == "done"
        assert only(rig)["generation"] == 2


@pytest.mark.expected_log(ENDED)
async def test_kernel_that_waits_for_its_next_start_can_be_stopped():
    async with rigged(backoff_first_s=1000.0, backoff_max_s=1000.0) as rig:
        page = rig.join()
        for _ in range(2):
            await page.kernel_state("idle")
            rig.kill(signal.SIGKILL)
            await page.kernel_state("starting", "backoff")
        await page.kernel_state("backoff")
        assert rig.broker.command_kernel(only(rig)["kernel"], "stop") == ""
        assert (only(rig)["state"], only(rig)["deaths"]) == ("stopped", 2)
        assert "stopped from the kernel page" in page.kernel["reason"]


@pytest.mark.expected_log(ENDED)
async def test_what_cannot_be_done_is_told_and_nothing_happens():
    async with rigged("cancels") as rig:
        page = rig.join("cancels")
        await page.run("echo")
        id_ = only(rig)["kernel"]
        command = rig.broker.command_kernel
        assert "runs no action" in command(id_, "interrupt")
        assert "expected one of interrupt" in command(id_, "explode")
        assert command("k9.1", "stop").startswith("stop: that kernel has already ended")
        assert command(id_, "restart") == ""
        await wait_until(lambda: only(rig)["generation"] == 2)
        for word in COMMANDS:
            assert "has already ended" in command(id_, word)
        assert (await page.run("echo"))["outcome"] == "done"
        rig.broker._tables.is_draining = True
        assert "the server stops" in command(only(rig)["kernel"], "stop")
        rig.broker._tables.is_draining = False


async def test_nothing_is_sampled_while_nobody_looks():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        assert isinstance(rig.broker.overview, Overview)
        assert rig.broker.overview._sampler._latest == {}
        rig.broker.kernels()
        assert len(rig.broker.overview._sampler._latest) == 1
