"""Changed code: a kernel restarts when it is idle, and what it says of its sources is kept."""

import dataclasses
from pathlib import Path

import pytest

from databench.broker import AnalysisSpec
from databench.protocol import messages as m
from databench.protocol.placement import Sharing
from tests.broker.harness import rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]


def generation(rig, analysis="a"):
    return rig.kernel(analysis)["generation"]


async def test_idle_kernel_restarts_alone_with_its_state_and_says_why():
    async with rigged() as rig:
        page, other = rig.join(), rig.join("b")
        await other.run("echo")
        await page.run("state", 7)
        before = rig.kernel("b")["pid"]
        rig.broker.code.change("a", "a/analysis.py", at_once=False)
        await page.signal("opened", 2)
        said = page.loads("opened")[-1]
        assert said == {"restored": "code changed: a/analysis.py", "data": {"k": 7}}
        assert rig.kernel("a")["deaths"] == 0
        assert (generation(rig), generation(rig, "b")) == (2, 1)
        assert rig.kernel("b")["pid"] == before


@pytest.mark.expected_log("exited with status 3")
async def test_failed_kernel_that_is_mended_restarts_for_the_code_and_for_no_older_reason(
    monkeypatch,
):
    async with rigged("dies") as rig:
        page = rig.join("dies")
        assert "not restarting" in (await page.kernel_state("failed"))["reason"]
        monkeypatch.setenv("STUB_IS_MENDED", "1")
        rig.broker.code.change("dies", "dies/kernel.pl", at_once=False)
        said = await page.signal("opened")
        assert said == {"restored": "code changed: dies/kernel.pl", "data": {}}
        assert "not restarting" not in page.kernel["reason"]


async def test_what_new_code_ends_is_lost_without_the_older_lines_of_stderr():
    async with rigged() as rig:
        page = rig.join()
        await page.run("print_lines", [0, 0])
        held = page.request("hold")
        await page.signal("held")
        rig.broker.code.change("a", "a.py", at_once=True)
        error = (await page.end(held))["error"]
        assert (error["message"], error["traceback"]) == ("code changed", None)


async def test_working_kernel_restarts_when_its_last_action_has_ended():
    async with rigged() as rig:
        page, other = rig.join(), rig.join()
        await page.run("echo")
        held = page.request("hold")
        await page.signal("held")
        rig.broker.code.change("a", "a.py", at_once=False)
        rig.broker.code.change("a", "a.py", at_once=False)  # saved again: it is told once
        assert [k.get("code_change") for k in page.loads("__kernel")].count("a.py") == 1
        assert other.kernel["code_change"] == "a.py"
        assert rig.join().kernel["code_change"] == "a.py"  # one that comes meanwhile
        assert (await other.run("echo"))["outcome"] == "done"
        assert generation(rig) == 1
        await other.run("release")
        assert (await page.end(held))["outcome"] == "done"
        assert (await page.run("echo"))["outcome"] == "done"
        assert generation(rig) == 2
        assert "code_change" not in page.kernel


async def test_what_is_asked_while_the_old_code_is_being_ended_is_run_by_the_new():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        rig.broker.code.change("a", "a.py", at_once=False)  # the process is killed, and not gone
        assert generation(rig) == 1
        asked, other = page.request("echo", 1), rig.join()
        assert [(await page.end(asked))["outcome"], (await other.run("echo"))["outcome"]] == [
            "done",
            "done",
        ]
        assert generation(rig) == 2


async def test_kernel_that_said_hello_before_it_is_ended_is_given_nothing():
    async with rigged() as rig:
        page = rig.join()
        waits = page.request("echo", 1)
        await page.kernel_state("starting")
        kernel = rig.broker._tables.pools["a"].records[0].kernel
        hello = m.Hello(
            version=m.PROTOCOL_VERSION,
            token=kernel.token,
            language="py",
            library="",
            capabilities=("cancel",),
        )
        rig.broker.code.change("a", "a.py", at_once=False)
        kernel.receive_hello(hello)
        assert (page.kernel["state"], kernel.life.state.value) == ("starting", "starting")
        assert (await page.end(waits))["outcome"] == "done"
        assert generation(rig) == 2


async def test_at_once_ends_what_runs_as_lost():
    async with rigged() as rig:
        page = rig.join()
        held = page.request("hold")
        await page.signal("held")
        rig.broker.code.change("a", "a.py", at_once=True)
        assert (await page.end(held))["outcome"] == "lost"
        assert (await page.run("echo"))["outcome"] == "done"
        assert generation(rig) == 2


@pytest.mark.expected_log("restarted by a page")
async def test_restart_now_takes_the_new_code_once():
    async with rigged() as rig:
        page = rig.join()
        held = page.request("hold")
        await page.signal("held")
        rig.broker.code.change("a", "a.py", at_once=False)
        page.control("restart")
        assert (await page.end(held))["outcome"] == "lost"
        await page.run("echo")
        await page.run("echo")
        assert generation(rig) == 2
        assert "code_change" not in page.kernel


@pytest.mark.expected_log("exited with status 3")
async def test_failed_kernel_starts_again_for_new_code_with_a_fresh_count():
    async with rigged("dies", hello_exit_limit=1) as rig:
        page = rig.join("dies")
        for expected in (1, 2, 3):
            await page.kernel_state("failed")
            assert generation(rig, "dies") == expected
            rig.broker.code.change("dies", "dies.py", at_once=False)
            assert page.kernel["state"] == "starting"
        await page.kernel_state("failed")


async def test_change_during_the_start_restarts_the_start_and_counts_for_nothing():
    async with rigged("mute", hello_exit_limit=1, shutdown_limit_s=0.5) as rig:
        rig.join("mute")
        for expected in (2, 3, 4):
            rig.broker.code.change("mute", "a.py", at_once=False)
            await wait_until(lambda n=expected: generation(rig, "mute") == n)
        assert rig.kernel("mute")["state"] == "starting"


async def test_change_of_an_analysis_that_nobody_opened_does_nothing():
    async with rigged() as rig:
        rig.broker.code.change("a", "a.py", at_once=True)
        assert rig.broker.kernel_state("a") == "none"
        assert rig.broker.code.sources("a") is None


async def test_sources_add_up_in_one_life_and_begin_anew_in_the_next():
    async with rigged() as rig:
        told = []
        rig.broker.code.on_sources = told.append
        page = rig.join()
        await page.run("echo")
        assert rig.broker.code.sources("a") is None
        await page.run("sources", ["/a.py"])
        await page.run("sources", ["/b.py"])
        assert set(rig.broker.code.sources("a")) == {"/a.py", "/b.py"}
        rig.broker.code.change("a", "a.py", at_once=False)
        await page.run("echo")
        assert set(rig.broker.code.sources("a")) == {"/a.py", "/b.py"}  # until it says others
        await page.run("sources", ["/c.py"])
        assert set(rig.broker.code.sources("a")) == {"/c.py"}
        assert told == ["a"] * 3


@pytest.mark.expected_log("more than 2 source files, the limit")
async def test_sources_are_bounded():
    async with rigged(watched_files=2) as rig:
        page = rig.join()
        await page.run("sources", ["/a", "/b", "/c", "/a"])
        assert set(rig.broker.code.sources("a")) == {"/a", "/b"}


@pytest.mark.expected_log("paths is '/a', expected an array")
async def test_sources_that_are_no_list_are_junk():
    async with rigged() as rig:
        page = rig.join()
        with_log = await page.run("sources", "/a")
        assert with_log["outcome"] == "done"
        assert rig.broker.status()["dropped"] == 1
        assert rig.broker.code.sources("a") is None


async def test_announced_frame_reaches_pages_that_count_and_no_others():
    async with rigged() as rig:
        page, old = rig.join(), rig.join(received=None)
        rig.broker.announce(b'{"signal":"__reload"}')
        assert len(page.loads("__reload")) == 1
        assert old.loads("__reload") == []


# -- what new code is not blamed for ---------------------------------------------------------------

CRASH = r"was ended by SIGSEGV"


async def crash_twice(rig):
    """The action `segfault` is refused to all from here on; a page."""
    page, other = rig.join(), rig.join()
    for visitor in (page, other):
        # A death says nothing to all while the start of a session may be what it was of.
        for started in (page, other):
            assert (await started.run("echo"))["outcome"] == "done"
        assert (await visitor.run("segfault"))["outcome"] == "lost"
    assert (await page.run("segfault"))["error"]["type"] == "PoisonedAction"
    other.leave()
    return page


@pytest.mark.expected_log(CRASH)
async def test_new_code_of_an_idle_kernel_runs_an_action_that_was_refused():
    async with rigged() as rig:
        page = await crash_twice(rig)
        rig.broker.code.change("a", "a.py", at_once=False)
        assert (await page.run("segfault"))["outcome"] == "lost"


@pytest.mark.expected_log(CRASH)
async def test_new_code_that_no_process_has_read_yet_runs_an_action_that_was_refused():
    async with rigged(cull_after_s=0.2) as rig:
        page = await crash_twice(rig)
        page.leave()
        await wait_until(lambda: rig.broker.kernel_state("a") == "culled")
        rig.broker.code.change("a", "a.py", at_once=False)
        assert (await rig.join().run("segfault"))["outcome"] == "lost"


@pytest.mark.expected_log(CRASH)
async def test_new_code_of_an_analysis_whose_kernels_have_gone_runs_an_action_that_was_refused():
    async with rigged(sharing=Sharing("session", preheat=0), session_grace_s=0.1) as rig:
        page = await crash_twice(rig)
        page.leave()
        await wait_until(lambda: not rig.broker._tables.pools["a"].records)
        rig.broker.code.change("a", "a.py", at_once=False)
        assert (await rig.join().run("segfault"))["outcome"] == "lost"


@pytest.mark.expected_log(CRASH)
async def test_a_crash_of_code_that_was_replaced_meanwhile_speaks_against_nothing():
    async with rigged() as rig:
        page = rig.join()
        assert (await page.run("segfault"))["outcome"] == "lost"
        page.request("hold")
        await page.signal("held")
        rig.broker.code.change("a", "a.py", at_once=False)
        for _ in range(2):  # the first one ends the old code, the second one the new
            assert (await page.run("segfault"))["outcome"] == "lost"


# ---------------------------------------------------------------- other specs


def swap(rig, *, at_once=False, kept=(), **changes):
    """The kernel spec changes as its file did."""
    spec = dataclasses.replace(rig.broker.kernelspecs["stub"], **changes)
    root = Path("/")
    specs = {n: AnalysisSpec(n, root, "none", root, "stub", restarts_at_once=at_once) for n in "ab"}
    specs = {name: found for name, found in specs.items() if name not in kept}
    rig.broker.swap(specs, kept, kernelspecs={"stub": spec})


async def test_edited_kernel_spec_restarts_idle_kernels_at_once_and_working_ones_when_idle():
    async with rigged() as rig:
        idle, working = rig.join("a"), rig.join("b")
        await idle.run("echo")
        held = working.request("hold")
        await working.signal("held")
        argv = rig.broker.kernelspecs["stub"].argv
        swap(rig)  # read again, and the same
        swap(rig, argv=(*argv, "--edited"))
        await idle.signal("opened", 2)
        reason = "code changed: kernels/stub/kernel.yaml"
        assert idle.loads("opened")[-1]["restored"] == reason
        assert working.kernel["code_change"] == "kernels/stub/kernel.yaml"
        assert (generation(rig), generation(rig, "b")) == (2, 1)
        await working.run("release")
        assert (await working.end(held))["outcome"] == "done"
        await working.signal("opened", 2)
        assert working.loads("opened")[-1]["restored"] == reason


async def test_edited_kernel_spec_ends_what_runs_where_new_code_does():
    async with rigged() as rig:
        page = rig.join()
        held = page.request("hold")
        await page.signal("held")
        argv = rig.broker.kernelspecs["stub"].argv
        swap(rig, at_once=True, argv=(*argv, "--edited"))
        assert (await page.end(held))["outcome"] == "lost"


@pytest.mark.expected_log(
    "nothing good", "kernel spec 'stub' cannot be used", "restarted by a page"
)
async def test_bad_kernel_spec_leaves_what_runs_alone_and_fails_a_start_once_with_its_reason():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        good = rig.broker.kernelspecs["stub"]
        swap(rig, kept=("a", "b"), argv=(), problem="nothing good", file=None)
        assert (await page.run("echo"))["outcome"] == "done"
        assert generation(rig) == 1
        page.control("restart")
        told = await page.kernel_state("failed")
        assert (
            told["reason"]
            == "kernel 'a': the kernel spec 'stub' cannot be used; the server's log says why"
        )
        assert (told["stderr"], told["generation"]) == (["nothing good"], 2)
        swap(rig, **{f.name: getattr(good, f.name) for f in dataclasses.fields(good)})
        await page.signal("opened", 2)
        assert page.loads("opened")[-1]["restored"] == "code changed: kernels/stub/kernel.yaml"
