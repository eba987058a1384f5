"""The life of a kernel process: how it starts, dies, comes back, and is given up."""

import asyncio
import dataclasses
import json
import os
import re
import signal

import pytest

from databench.protocol import messages as m
from databench.protocol.lifecycle import Event, State
from tests.broker.harness import Rig, is_alive, rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]
DEATHS = r"was ended by SIG|exited with status"


# -- what a death does to requests -----------------------------------------------------------------


@pytest.mark.expected_log(DEATHS)
@pytest.mark.parametrize(
    ("action", "payload", "how"),
    [
        ("leave", 3, "exited with status 3"),
        ("leave", 0, "exited with status 0"),
        ("segfault", 0, "was ended by SIGSEGV"),
        ("emit_and_die", [0, 0], "was ended by SIGKILL"),
        ("say_bye", 0, "exited with status 0: tired"),
    ],
)
async def test_lost_tells_how_the_kernel_ended(action, payload, how):
    async with rigged() as rig:
        page = rig.join()
        end = await page.run(action, payload)
        assert end["outcome"] == "lost"
        assert end["error"]["type"] == "KernelLost"
        assert how in end["error"]["message"]
        assert how in page.loads("error")[-1]
        assert (await page.run("echo", 1))["outcome"] == "done"
        assert rig.kernel()["generation"] == 2


@pytest.mark.expected_log(DEATHS)
@pytest.mark.parametrize("debug", [True, False])
async def test_last_words_are_shown_in_debug_alone(debug):
    async with rigged("dies", "a", debug=debug) as rig:
        page = rig.join()
        end = await page.run("leave", 3)
        assert ("last words" in (end["error"]["traceback"] or "")) is debug
        failed = rig.join("dies")
        kernel = await failed.kernel_state("failed")
        assert kernel.get("stderr") == (["no such thing"] if debug else None)
        if not debug:
            assert not any(b"last words" in f for f in page.raw)
            assert not any(b"no such thing" in f for f in failed.raw)


@pytest.mark.expected_log(DEATHS)
async def test_a_lost_request_has_only_the_lines_that_the_kernel_wrote_since():
    async with rigged() as rig:
        page = rig.join()
        await page.run("print_lines", [0, 0])
        assert rig.broker.kernels()[0]["stderr"] == ["that was all"]
        assert (await page.run("segfault"))["error"]["traceback"] is None
        await page.run("echo")
        assert (await page.run("leave", 3))["error"]["traceback"] == "last words"


@pytest.mark.expected_log(DEATHS)
@pytest.mark.parametrize(("count", "size"), [(0, 0), (3000, 4), (400, 9000)])
async def test_what_a_killed_kernel_handed_to_libzmq_comes_before_lost(count, size):
    settings = {"credit_window_bytes": 2**26, "ring_messages": 5000, "ring_bytes": 2**26}
    async with rigged(restart_limit=100, **settings) as rig:
        for _ in range(5):
            page = rig.join()
            end = await page.run("emit_and_die", [count, size])
            assert end["outcome"] == "lost"
            assert [n for n, _ in page.loads("n")] == list(range(count))
            assert page.frames.index({"signal": "__process", "load": end}) > max(
                i for i, f in enumerate(page.frames) if f["signal"] in ("n", "opened")
            )
            page.leave()
        assert rig.broker.status()["dropped"] == 0


@pytest.mark.expected_log(DEATHS)
async def test_a_kernel_killed_in_a_stream_has_nothing_arrive_after_lost():
    async with rigged(restart_limit=100, credit_window_bytes=2**30) as rig:
        for _ in range(5):
            page = rig.join(is_slow=True)
            id_ = page.request("stream", 20)
            await wait_until(lambda p=page: len(p.raw) > 500)
            rig.kill(signal.SIGKILL)
            await wait_until(lambda p=page: b'"lost"' in p.raw[-1] or b"__kernel" in p.raw[-1])
            page.leave()
            again = rig.join()
            await again.run("echo", 1)  # the next life has spoken
            assert page.ends(id_)[0]["outcome"] == "lost"
            again.leave()
        assert rig.broker.status()["dropped"] == 0


@pytest.mark.expected_log(DEATHS)
async def test_actions_sent_while_the_kernel_is_away_run_in_order_after_the_restart():
    async with rigged() as rig:
        page = rig.join()
        await page.run("state", 7)
        lost = page.request("never")
        rig.kill(signal.SIGKILL)
        await page.end(lost)
        assert rig.broker.kernel_state("a") == "starting"
        ids = [page.request("echo", n) for n in range(20)]
        await page.end(ids[-1])
        assert page.loads("echo") == list(range(20))
        assert all(page.ends(id_)[0]["outcome"] == "done" for id_ in ids)


@pytest.mark.expected_log(DEATHS)
async def test_a_death_touches_every_session_of_the_kernel_and_no_other_kernel():
    async with rigged() as rig:
        one, two, other = rig.join("a"), rig.join("a"), rig.join("b")
        await other.run("echo", 0)
        ids = [one.request("never"), two.request("never")]
        elsewhere = other.request("hold")
        await other.signal("held")
        await one.run("echo", 0)
        rig.kill(signal.SIGKILL)
        assert (await one.end(ids[0]))["outcome"] == "lost"
        assert (await two.end(ids[1]))["outcome"] == "lost"
        await other.run("release")
        assert other.ends(elsewhere)[0]["outcome"] == "done"
        assert rig.kernel("b")["deaths"] == 0


@pytest.mark.expected_log(DEATHS)
async def test_children_in_the_group_die_with_their_kernel():
    async with rigged() as rig:
        page = rig.join()
        child = (await page.run("child", False))["result"]
        assert is_alive(child)
        rig.kill(signal.SIGKILL)
        await wait_until(lambda: not is_alive(child))


@pytest.mark.expected_log(DEATHS)
async def test_nothing_is_lost_before_the_dead_kernel_was_read_to_its_end(monkeypatch):
    async with rigged() as rig:
        page = rig.join()
        id_ = page.request("never")
        await page.run("echo")
        asked, is_read = [], rig.broker._kernels.is_read

        def is_read_late(kernel):
            asked.append(page.ends(id_))
            return is_read(kernel) and len(asked) > 5

        monkeypatch.setattr(rig.broker._kernels, "is_read", is_read_late)
        rig.kill(signal.SIGKILL)
        assert (await page.end(id_))["outcome"] == "lost"
        assert asked[:5] == [[]] * 5


@pytest.mark.expected_log(DEATHS)
async def test_a_death_beside_a_kernel_that_never_pauses_takes_no_more_than_a_turn_reads():
    async with rigged(shutdown_limit_s=1) as rig:
        page, other = rig.join("a"), rig.join("b")
        id_ = page.request("emit_and_die", [1500, 4])
        other.request("stream", 20)
        other.leave()  # its credit comes back at once from here on
        taken, turns = 0, []
        receive, flush = rig.broker._channel._on_message, rig.broker._channel._on_flush

        def count(routing_id, frames):
            nonlocal taken
            taken += 1
            receive(routing_id, frames)

        def end_turn():
            nonlocal taken
            turns.append(taken)
            taken = 0
            flush()

        rig.broker._channel._on_message, rig.broker._channel._on_flush = count, end_turn
        assert (await page.end(id_))["outcome"] == "lost"
        assert [n for n, _ in page.loads("n")] == list(range(1500))
        assert sum(turns) > 1500
        assert max(turns) <= rig.settings.drain_messages


@pytest.mark.expected_log(DEATHS)
async def test_a_dead_kernel_is_awaited_while_its_messages_come(monkeypatch):
    async with rigged(exit_drain_s=0.05) as rig:
        page = rig.join()
        id_ = page.request("never")
        await page.run("echo")
        kernel, asked = next(iter(rig.broker._tables.by_kernel)), 0

        def is_read(_kernel):
            nonlocal asked
            asked += 1
            if asked < 200:  # over 0.2 s at a step of 1 ms
                kernel.heard(is_working=True)
            return False

        monkeypatch.setattr(rig.broker._kernels, "is_read", is_read)
        rig.kill(signal.SIGKILL)
        assert (await page.end(id_))["outcome"] == "lost"
        assert asked > 200
        monkeypatch.undo()


@pytest.mark.expected_log(DEATHS)
async def test_a_child_that_holds_the_socket_open_delays_the_end_no_longer_than_its_limit(
    monkeypatch,
):
    async with rigged(exit_drain_s=0.1) as rig:
        page = rig.join()
        id_ = page.request("never")
        await page.run("echo")
        monkeypatch.setattr(rig.broker._kernels, "is_read", lambda kernel: False)
        rig.kill(signal.SIGKILL)
        assert (await page.end(id_))["outcome"] == "lost"
        assert (await page.run("echo"))["outcome"] == "done"


# -- restarts --------------------------------------------------------------------------------------


@pytest.mark.expected_log(DEATHS, "2 times while starting")
async def test_two_exits_before_hello_fail_and_requests_end_at_once():
    async with rigged("dies") as rig:
        page = rig.join("dies")
        early = page.request("echo")
        kernel = await page.kernel_state("failed")
        told = "exited with status 3: it ended 2 times while starting, limit 2"
        assert told in kernel["reason"]
        assert page.ends(early)[0]["outcome"] == "error"
        late = page.request("echo")
        (end,) = page.ends(late)  # no wait: it is there
        assert end["outcome"] == "error"
        assert end["error"]["type"] == "KernelFailed"
        assert "exited with status 3" in end["error"]["message"]
        assert rig.kernel("dies")["deaths"] == 2


@pytest.mark.expected_log(DEATHS, "2 times while starting")
async def test_a_page_starts_a_failed_kernel_again():
    async with rigged("dies") as rig:
        page = rig.join("dies")
        await page.kernel_state("failed")
        page.control("restart")
        assert page.kernel["state"] == "starting"
        waits = page.request("echo")
        assert page.ends(waits) == []
        await page.kernel_state("failed")
        assert rig.kernel("dies")["deaths"] == 4
        assert page.ends(waits)[0]["outcome"] == "error"


@pytest.mark.expected_log(DEATHS, "3 crashes without a completed action")
async def test_deaths_without_a_completed_action_back_off_and_fail():
    async with rigged(restart_limit=3, backoff_first_s=0.05) as rig:
        page = rig.join()
        for generation in (1, 2, 3):
            await wait_until(lambda g=generation: len(page.loads("opened")) == g)
            rig.kill(signal.SIGKILL)
            await page.kernel_state("starting", "backoff", "failed")
        kernel = await page.kernel_state("failed")
        states = [load["state"] for load in page.loads("__kernel")]
        assert "backoff" in states
        backoff = page.loads("__kernel")[states.index("backoff")]
        assert 0.04 <= backoff["retry_in_s"] <= 0.06
        assert "limit 3; not restarting" in kernel["reason"]


@pytest.mark.expected_log(DEATHS)
async def test_deaths_after_a_completed_action_never_fail():
    async with rigged(restart_limit=2, backoff_first_s=60.0) as rig:
        page = rig.join()
        for generation in range(2, 8):
            await page.run("echo")
            rig.kill(signal.SIGKILL)
            await wait_until(lambda g=generation: rig.kernel()["generation"] == g)
        await page.run("echo")
        assert rig.kernel()["deaths"] == 6
        assert "backoff" not in [load["state"] for load in page.loads("__kernel")]


@pytest.mark.expected_log(DEATHS)
async def test_restart_by_a_page_ends_a_backoff():
    async with rigged(backoff_first_s=60.0, backoff_max_s=60.0) as rig:
        page = rig.join()
        for generation in (1, 2):
            await wait_until(lambda g=generation: len(page.loads("opened")) == g)
            rig.kill(signal.SIGKILL)
        await page.kernel_state("backoff")
        page.control("restart")
        assert (await page.run("echo", 1))["outcome"] == "done"


@pytest.mark.expected_log("restarted by a page")
async def test_restart_by_a_page_of_a_kernel_that_lives():
    async with rigged(restart_limit=2, backoff_first_s=60.0) as rig:
        page = rig.join()
        await page.signal("opened")
        for generation in (2, 3, 4):  # wished ends do not count
            id_ = page.request("never")
            page.control("restart")
            end = await page.end(id_)
            assert "restarted by a page" in end["error"]["message"]
            await wait_until(lambda g=generation: len(page.loads("opened")) == g)
        assert (await page.run("echo", 1))["outcome"] == "done"
        assert rig.kernel()["generation"] == 4


@pytest.mark.expected_log("no hello in", "2 times while starting")
async def test_a_mute_kernel_is_ended_after_the_start_limit():
    async with rigged("mute", start_limit_s=0.3) as rig:
        page = rig.join("mute")
        kernel = await page.kernel_state("failed")
        assert "no hello in 0.3 s, the limit" in kernel["reason"]


@pytest.mark.expected_log("rejected", DEATHS)
@pytest.mark.parametrize(
    ("analysis", "problem"), [("imposter", "a token"), ("ancient", "protocol 0, this front")]
)
async def test_a_hello_that_does_not_fit_is_rejected_with_the_reason(analysis, problem):
    async with rigged(analysis) as rig:
        page = rig.join(analysis)
        kernel = await page.kernel_state("failed")
        assert any(problem in line for line in kernel["stderr"])
        assert page.loads("opened") == []


@pytest.mark.expected_log("cannot be started", "2 times while starting")
async def test_a_command_that_is_not_there_fails_with_its_name():
    rig = Rig()
    (spec,) = (
        rig.broker._kernelspecs.values()
        if len(rig.broker._kernelspecs) == 1
        else [rig.broker._kernelspecs["stub"]]
    )
    broken = type(spec)(spec.name, spec.folder, ("/nowhere/at-all",), "none")
    rig.broker._kernelspecs["stub"] = broken
    await rig.broker.start()
    page = rig.join()
    kernel = await page.kernel_state("failed")
    assert "'/nowhere/at-all' cannot be started" in kernel["reason"]
    await rig.broker.stop()


# -- heartbeats ------------------------------------------------------------------------------------


@pytest.mark.expected_log("has not answered", DEATHS)
async def test_a_frozen_kernel_is_unresponsive_after_three_pings_until_it_speaks():
    async with rigged(ping_interval_s=0.1) as rig:
        page = rig.join()
        await page.run("echo")
        pings = rig_pings(rig)
        rig.kill(signal.SIGSTOP)
        kernel = await page.kernel_state("unresponsive")
        assert "has not answered for 0.3 s" in kernel["reason"]
        assert pings() >= 3
        waits = page.request("echo", "thawed")
        assert page.ends(waits) == []
        rig.kill(signal.SIGCONT)
        assert (await page.end(waits))["outcome"] == "done"
        assert page.kernel["state"] in ("idle", "busy")
        assert page.kernel["reason"] == ""
        await rig.ready()
        assert rig.kernel()["deaths"] == 0


@pytest.mark.expected_log("has not answered")
async def test_an_idle_kernel_that_thaws_is_idle_again():
    async with rigged(ping_interval_s=0.05) as rig:
        page = rig.join()
        await page.run("echo")
        rig.kill(signal.SIGSTOP)
        await page.kernel_state("unresponsive")
        rig.kill(signal.SIGCONT)
        await page.kernel_state("idle")


@pytest.mark.expected_log("has not answered", "was restarted by a page")
async def test_an_unresponsive_kernel_can_be_restarted_and_its_request_is_lost():
    async with rigged(ping_interval_s=0.05) as rig:
        page = rig.join()
        await page.run("echo")
        id_ = page.request("never")
        rig.kill(signal.SIGSTOP)
        await page.kernel_state("unresponsive")
        page.control("restart")
        assert (await page.end(id_))["outcome"] == "lost"
        assert (await page.run("echo"))["outcome"] == "done"


@pytest.mark.expected_log("has not answered", "hang_timeout_s")
async def test_a_kernel_that_hangs_beyond_its_limit_is_ended_and_follows():
    async with rigged(ping_interval_s=0.05, hang_timeout_s=0.3) as rig:
        page = rig.join()
        await page.run("echo")
        id_ = page.request("never")
        rig.kill(signal.SIGSTOP)
        end = await page.end(id_)
        assert end["outcome"] == "lost"
        assert re.search(
            r"SIGKILL: no answer for 0\.3\d* s, limit 0\.3 \(hang_timeout_s\)",
            end["error"]["message"],
        )
        assert (await page.run("echo"))["outcome"] == "done"


async def test_other_limits_hold_from_the_next_start_and_not_for_what_runs():
    async with rigged("a", limits={"hang_timeout_s": 9.0}) as rig:
        page = rig.join()
        held = page.request("hold")
        await page.signal("held")
        (record,) = rig.broker._tables.records
        spec = dataclasses.replace(record.kernel.spec, limits={"kernel_memory_bytes": 1})
        rig.broker.swap({"a": spec})
        assert record.kernel.settings.kernel_memory_bytes == 0
        assert record.kernel.life.limits.hang_timeout_s == 9.0
        rig.broker.swap({"a": dataclasses.replace(spec, limits={"hang_timeout_s": 7.0})})
        await page.run("release")
        assert page.ends(held)[0]["outcome"] == "done"
        await wait_until(lambda: rig.kernel()["generation"] == 2)
        assert (
            record.kernel.settings.hang_timeout_s == record.kernel.life.limits.hang_timeout_s == 7
        )


async def test_a_kernel_that_answers_pings_stays_responsive():
    async with rigged(ping_interval_s=0.05) as rig:
        page = rig.join()
        await page.run("echo")
        pings = rig_pings(rig)
        await wait_until(lambda: pings() >= 8)
        assert "unresponsive" not in [load["state"] for load in page.loads("__kernel")]


def rig_pings(rig):
    """How many pings the kernel of `a` was sent from now on."""
    supervisor = rig.broker._tables.pools["a"].records[0].kernel
    sent, beat = 0, supervisor.heartbeat.beat

    def count(late_s):
        nonlocal sent
        sent += 1
        beat(late_s)

    supervisor.heartbeat.beat = count
    return lambda: sent


# -- its environment and its output ----------------------------------------------------------------


async def test_the_kernel_has_its_words_in_the_environment_and_none_on_the_command_line():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        pid = rig.kernel()["pid"]
        with open(f"/proc/{pid}/environ", "rb") as file:
            environ = dict(item.split(b"=", 1) for item in file.read().split(b"\0") if b"=" in item)
        name, value = rig.broker.mark.encode().split(b"=")
        assert environ[name] == value
        assert environ[b"DATABENCH_ENDPOINT"].decode() == rig.broker.endpoint
        assert json.loads(environ[b"DATABENCH_SETTINGS"])["start_limit_s"] == 30
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            assert environ[b"DATABENCH_TOKEN"] not in file.read()
        assert os.getpgid(pid) == pid != os.getpgid(0)
        assert os.getsid(pid) == pid


async def test_a_kernel_that_prints_without_end_blocks_nobody_and_loses_nothing_else():
    async with rigged() as rig:
        noisy, other = rig.join("a"), rig.join("b")
        await other.run("echo", 0)
        id_ = noisy.request("print_lines", [400_000, 1])
        echoes = 0
        while not noisy.ends(id_):
            await other.run("echo", 1)
            echoes += 1
        assert echoes > 3  # a front that the flood holds up answers once, at the end
        assert (await noisy.run("echo", 1))["outcome"] == "done"


async def test_output_is_logged_with_the_analysis_name(caplog):
    caplog.set_level("INFO", "databench.kernel.a")
    async with rigged(output_line_bytes=100) as rig:
        page = rig.join()
        await page.run("print_lines", [100, 250])
        await wait_until(lambda: "that was all" in caplog.text)
        lines = [r.getMessage() for r in caplog.records if r.name == "databench.kernel.a"]
        await wait_until(
            lambda: sum(r.getMessage().count("y") for r in caplog.records) >= 100 * 100
        )
        lines = [r.getMessage() for r in caplog.records if r.name == "databench.kernel.a"]
        assert max(map(len, lines)) <= 100


async def test_two_stops_at_once_are_one():
    rig = Rig()
    await rig.broker.start()
    rig.join()
    await rig.ready()
    kernel = rig.broker._tables.pools["a"].records[0].kernel
    await asyncio.gather(kernel.stop(5), kernel.stop(5))
    await rig.broker.stop()


async def test_a_hello_that_comes_while_the_server_stops_is_no_second_one():
    async with rigged() as rig:
        rig.join()
        (record,) = rig.broker._tables.pools["a"].records
        kernel = record.kernel
        hello = m.Hello(
            version=m.PROTOCOL_VERSION,
            token=kernel.token,
            language="",
            library="",
            capabilities=(),
        )
        kernel.life.step(Event.STOP)
        kernel.receive_hello(hello)  # nothing is logged, and nothing begins
        assert kernel.life.state is State.STOPPING
        await rig.broker.stop()
