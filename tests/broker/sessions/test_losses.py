"""What a kernel takes with it: how its requests end, and what its death says against an action."""

import asyncio
import logging
import signal

import pytest

from databench.protocol import text
from tests.broker.harness import rigged, wait_until

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


# -- what is run again -----------------------------------------------------------------------------


def words(page, id_):
    """What the page was told of a request, in order, with what was emitted and what was warned."""
    said = []
    for frame in page.frames:
        load = frame.get("load")
        if frame["signal"] == "__process" and load["id"] == id_:
            said.append("again" if load.get("again") else load.get("outcome", load["status"]))
        elif frame["signal"] in ("held", "warn"):
            said.append(frame["signal"])
    return said


async def held(page, payload=b"", *, times=1):
    """Has an action run that may run twice, and waits until it says that it does."""
    id_ = page.request("hold", payload)
    await page.signal("held", times)
    return id_


def once(page, word, act):
    """Does something as soon as such a frame is written: before the next process can say hello."""
    write = page.write

    def watch(frames):
        write(frames)
        if any(word in bytes(frame) for frame in frames):
            page.write = write
            asyncio.get_running_loop().call_soon(act)

    page.write = watch


async def lose(rig, page, id_, number=signal.SIGKILL):
    """Ends the kernel; the outcome of the request, which must not run again."""
    rig.kill(number, page.analysis)
    end = await page.end(id_)
    await rig.ready(page.analysis)
    await page.run("echo")
    assert "again" not in words(page, id_)
    return end["outcome"]


def counts(rig, analysis="repeats"):
    """What is counted of open requests: of the server, of their kernel, of their payloads."""
    tables = rig.broker._tables
    (record,) = tables.pools[analysis].records
    return len(tables.requests), record.open_requests, record.open_bytes


@pytest.mark.expected_log(DEATHS)
async def test_an_action_that_may_run_twice_is_run_again_once(caplog):
    async with rigged("repeats") as rig:
        with caplog.at_level(logging.INFO, "databench.broker"):
            page = rig.join("repeats")
            id_ = await held(page, "as before")
            rig.kill(signal.SIGKILL, "repeats")
            await page.signal("held", 2)
            assert page.loads("held") == ["as before"] * 2
            assert words(page, id_) == ["start", "held", "warn", "again", "held"]
            (note,) = page.loads("warn")
            assert note == "Kernel 'repeats' was ended by SIGKILL. 'hold' is run again."
            assert page.loads("error") == []
            assert counts(rig) == (1, 1, len(b'"as before"'))
            rig.kill(signal.SIGKILL, "repeats")
            end = await page.end(id_)
        assert (end["outcome"], end["error"]["type"]) == ("lost", "KernelLost")
        assert words(page, id_) == ["start", "held", "warn", "again", "held", "lost"]
        assert counts(rig) == (0, 0, 0)
        told = [r.getMessage() for r in caplog.records if "run again" in r.getMessage()]
        assert told == ["kernel 'repeats': 'hold' is run again"]
        assert (await page.run("echo"))["outcome"] == "done"


@pytest.mark.expected_log(DEATHS)
async def test_a_second_run_ends_like_any_other():
    async with rigged("repeats") as rig:
        page = rig.join("repeats")
        id_ = await held(page)
        rig.kill(signal.SIGTERM, "repeats")
        await page.signal("held", 2)
        await page.run("release")
        assert page.ends(id_)[0]["outcome"] == "done"
        assert words(page, id_) == ["start", "held", "warn", "again", "held", "done"]


@pytest.mark.expected_log(DEATHS)
async def test_a_page_that_comes_back_sees_both_starts_and_one_end():
    async with rigged("repeats") as rig:
        page = rig.join("repeats")
        id_ = await held(page)
        rig.kill(signal.SIGKILL, "repeats")
        await page.signal("held", 2)
        session = page.session
        page.leave()
        other = rig.join("repeats", session=session)
        assert words(other, id_) == ["start", "held", "warn", "again", "held"]
        (running,) = other.connected["running"]
        assert (running["id"], running["action"], running["again"]) == (id_, "hold", True)
        await other.run("release")
        assert words(other, id_)[-1] == "done"


@pytest.mark.expected_log(DEATHS)
async def test_what_runs_again_is_before_what_its_session_asked_for_later():
    async with rigged("repeats") as rig:
        page = rig.join("repeats")
        ids = [page.request("hold", 1), page.request("hold", 2)]
        await page.signal("held", 2)
        once(page, b'"warn"', lambda: ids.append(page.request("hold", 3)))
        rig.kill(signal.SIGKILL, "repeats")
        await page.signal("held", 5)
        assert page.loads("held") == [1, 2, 1, 2, 3]
        await page.run("release")
        assert [page.ends(id_)[0]["outcome"] for id_ in ids] == ["done"] * 3
        assert ["again" in words(page, id_) for id_ in ids] == [True, True, False]
        assert page.loads("warn")[0].endswith("'hold' is run again.")


@pytest.mark.expected_log(DEATHS)
async def test_a_request_without_an_id_is_run_again_too():
    async with rigged("repeats") as rig:
        page = rig.join("repeats")
        await page.signal("opened")
        rig.broker.receive(page, text.Request("hold", b"1", None))
        await page.signal("held")
        rig.kill(signal.SIGKILL, "repeats")
        await page.signal("held", 2)
        assert page.loads("__process") == []
        assert counts(rig) == (1, 1, 1)
        await page.run("release")
        assert counts(rig) == (0, 0, 0)


@pytest.mark.expected_log(DEATHS)
async def test_what_its_kernel_does_not_name_is_not_run_again():
    async with rigged("repeats", "a") as rig:
        for analysis, action in (("a", "hold"), ("repeats", "freeze")):
            page = rig.join(analysis)
            await page.signal("opened")
            id_ = page.request(action, 30)
            assert await lose(rig, page, id_) == "lost"
            assert page.loads("warn") == []


@pytest.mark.expected_log(DEATHS)
async def test_what_the_next_code_does_not_name_is_not_run_again():
    async with rigged("forgets") as rig:
        page = rig.join("forgets")
        id_ = await held(page)
        assert await lose(rig, page, id_) == "lost"
        assert "does not mark it as idempotent" in page.ends(id_)[0]["error"]["message"]
        assert page.loads("held") == [None]


@pytest.mark.expected_log(DEATHS)
async def test_what_was_cancelled_is_not_run_again():
    async with rigged("repeats") as rig:
        page = rig.join("repeats")
        id_ = await held(page)
        page.cancel(id_)
        assert await lose(rig, page, id_) == "lost"
        id_ = await held(page, times=2)
        page.control("interrupt")
        assert await lose(rig, page, id_) == "lost"
        assert page.loads("held") == [None, None]


@pytest.mark.expected_log("ended by a page that cancelled 'hold'")
async def test_a_forced_cancel_of_one_has_only_the_others_run_again():
    async with rigged("repeats") as rig:
        page, other = rig.join("repeats"), rig.join("repeats")
        unwanted, wanted, theirs = await held(page), await held(page, times=2), await held(other)
        page.cancel(unwanted, force=True)
        assert (await page.end(unwanted))["outcome"] == "lost"
        await page.signal("held", 3)
        await other.signal("held", 2)
        assert (words(page, unwanted)[-1], words(page, wanted)[-2:]) == ("held", ["again", "held"])
        await page.run("release")
        assert {p.ends(id_)[0]["outcome"] for p, id_ in ((page, wanted), (other, theirs))} == {
            "done"
        }


async def test_a_cancel_that_is_refused_counts_as_one():
    """Who may not end the kernel that others use does not want the action to run again either."""
    async with rigged("repeats") as rig:
        page, other = rig.join("repeats", may_administer=False), rig.join("repeats")
        id_ = await held(page)
        page.cancel(id_, force=True)
        request = rig.broker._tables.requests
        assert [hosted.session.requests[n].is_cancelled for n, hosted in request.items()] == [True]
        assert "only an administrator" in page.loads("error")[-1]
        await other.run("release")


@pytest.mark.expected_log(DEATHS)
@pytest.mark.parametrize("how", ["cancel", "interrupt"])
async def test_what_waits_for_its_second_run_is_cancelled_at_once(how):
    async with rigged("repeats") as rig:
        page = rig.join("repeats")
        id_ = await held(page)
        act = {"cancel": lambda: page.cancel(id_), "interrupt": lambda: page.control("interrupt")}
        once(page, b'"warn"', act[how])
        rig.kill(signal.SIGKILL, "repeats")
        assert (await page.end(id_))["outcome"] == "cancelled"
        assert counts(rig) == (0, 0, 0)
        await page.run("echo")
        assert words(page, id_) == ["start", "held", "warn", "cancelled"]


@pytest.mark.expected_log(DEATHS, "restarted by a page", "from the kernel page")
@pytest.mark.parametrize("how", ["page", "restart", "stop", "code"])
async def test_what_a_person_ended_with_its_kernel_is_not_run_again(how):
    async with rigged("repeats") as rig:
        page = rig.join("repeats")
        id_ = await held(page)
        (record,) = rig.broker._tables.pools["repeats"].records
        if how == "page":
            page.control("restart")
        elif how == "code":
            rig.broker.change_code("repeats", "analysis.py", at_once=True)
        else:
            assert rig.broker.command_kernel(record.kernel.id_, how) == ""
        assert (await page.end(id_))["outcome"] == "lost"
        if how == "stop":
            page.control("restart")
        await page.run("echo")
        assert words(page, id_) == ["start", "held", "lost"]


@pytest.mark.expected_log(DEATHS, "restarted by a page")
async def test_a_restart_ends_what_waits_for_its_second_run_too():
    async with rigged("repeats") as rig:
        page = rig.join("repeats")
        id_ = await held(page)
        once(page, b'"warn"', lambda: page.control("restart"))  # of the process that has just begun
        rig.kill(signal.SIGKILL, "repeats")
        assert (await page.end(id_))["outcome"] == "lost"
        await page.run("echo")
        assert words(page, id_) == ["start", "held", "warn", "lost"]


@pytest.mark.expected_log(DEATHS)
async def test_a_suspect_is_not_run_again_and_what_ran_beside_it_is():
    async with rigged("repeats") as rig:
        page, other = rig.join("repeats"), rig.join("repeats")
        theirs = await held(other)
        id_ = page.request("segfault")
        assert (await page.end(id_))["outcome"] == "lost"
        await other.signal("held", 2)
        assert words(page, id_) == ["start", "lost"]
        assert words(other, theirs) == ["start", "held", "warn", "again", "held"]
        alone = rig.join("repeats")
        await other.run("release")
        id_ = alone.request("leave", 3)
        assert (await alone.end(id_))["outcome"] == "lost"
        assert "again" not in words(alone, id_)


@pytest.mark.expected_log(DEATHS)
async def test_what_was_suspected_before_is_not_run_again_after_another_death():
    async with rigged("repeats") as rig:
        page = rig.join("repeats")
        assert await lose(rig, page, await held(page), signal.SIGSEGV) == "lost"
        assert await lose(rig, page, await held(page, times=2), signal.SIGKILL) == "lost"
        await held(page, "other arguments", times=3)
        rig.kill(signal.SIGKILL, "repeats")
        await page.signal("held", 4)


@pytest.mark.expected_log(DEATHS, "while a session started; that one is set aside")
async def test_what_waits_for_its_second_run_ends_when_its_session_is_set_aside(tmp_path):
    async with rigged("repeats") as rig:
        deadly = tmp_path / "deadly"
        page, other = rig.join("repeats", args=f"crash={deadly}"), rig.join("repeats")
        await page.signal("opened")
        await other.signal("opened")
        deadly.touch()
        ids = []
        once(page, b'"starting"', lambda: ids.extend(p.request("hold") for p in (page, other)))
        rig.kill(signal.SIGKILL, "repeats")
        # Both are sent right behind the sessions, whose starts are suspected of the crash; of the
        # actions, the one that was sent last is. So the first one waits, until its session begins
        # alone and ends the process again.
        first, last = await wait_until(lambda: ids)
        assert (await page.end(first))["outcome"] == "lost"
        assert words(page, first) == ["start", "warn", "lost"]
        assert words(other, last) == ["start", "lost"]
        assert counts(rig) == (0, 0, 0)
        assert (await other.run("echo"))["outcome"] == "done"


@pytest.mark.expected_log(DEATHS, "has not answered for")
async def test_what_was_lost_with_a_kernel_that_hung_is_run_again():
    async with rigged("repeats", ping_interval_s=0.1, hang_timeout_s=0.3) as rig:
        page, other = rig.join("repeats"), rig.join("repeats")
        id_ = await held(page)
        hangs = other.request("freeze", 60)
        assert (await other.end(hangs))["outcome"] == "lost"
        await page.signal("held", 2)
        assert words(page, id_) == ["start", "held", "warn", "again", "held"]
        assert "(hang_timeout_s). 'hold' is run again." in page.loads("warn")[0]


@pytest.mark.expected_log(DEATHS)
async def test_nothing_is_run_again_while_the_server_ends():
    async with rigged("repeats") as rig:
        page = rig.join("repeats")
        id_ = await held(page)
        ending = asyncio.ensure_future(rig.broker.wind_down(20))
        await asyncio.sleep(0)
        rig.kill(signal.SIGKILL, "repeats")
        await ending
        assert page.ends(id_)[0]["outcome"] == "lost"


@pytest.mark.expected_log(DEATHS)
async def test_a_note_names_each_action_once():
    async with rigged("repeats") as rig:
        page = rig.join("repeats")
        for action in ("hold", "never", "hold"):
            page.request(action)
        await page.signal("held", 2)
        rig.kill(signal.SIGKILL, "repeats")
        await page.signal("held", 4)
        assert page.loads("warn") == [
            "Kernel 'repeats' was ended by SIGKILL. 'hold' and 'never' are run again."
        ]
