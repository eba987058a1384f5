"""The broker as pages see it, over real stub kernels."""

import asyncio
import errno
import json
import os
import signal
import stat
import tempfile
from pathlib import Path

import pytest

from databench.broker import socketfolder
from databench.broker.channel import Channel
from databench.protocol import codec, text
from databench.protocol import messages as m
from tests.broker.harness import LIMIT_S, Page, Rig, is_alive, rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]
DEATHS = r"was ended by SIG|exited with status"

ODD_PAYLOADS = [
    b'{"a":1,"a":2,"__process_id":1}',
    b"1e400",
    b" \t[ 1 ,\n2 ]  ",
    b'{"pi": 3.1415926535897932384626433832795, "k": 12345678901234567890123}',
    b'"\\ud800 \\u0041 \xc3\xa4"',
    b"[[[" * 250 + b"]]]" * 250,
]


# -- requests and payloads -------------------------------------------------------------------------


async def test_echo_comes_back_between_a_start_and_one_end():
    async with rigged() as rig:
        page = rig.join()
        id_ = page.request("echo", {"a": 1})
        end = await page.end(id_)
        assert end == {"id": id_, "status": "end", "outcome": "done"}
        words = [(f["signal"], f["load"]) for f in page.frames]
        start = words.index(("__process", {"id": id_, "status": "start"}))
        assert start < words.index(("echo", {"a": 1})) < words.index(("__process", end))


@pytest.mark.parametrize("kind", ["emit", "result", "state", "class_state", "log"])
async def test_payloads_pass_byte_for_byte_and_unparsed(kind):
    action = {"emit": "echo"}.get(kind, kind)
    frame_of = {
        "emit": lambda p: b'{"signal":"echo","load":' + p + b"}",
        "result": lambda p: b'"outcome":"done","result":' + p + b"}}",
        "state": lambda p: b'{"signal":"data","load":{"k":' + p + b"}}",
        "class_state": lambda p: b'{"signal":"class_data","load":{"c":' + p + b"}}",
        "log": lambda p: b'{"signal":"warn","load":' + p + b"}",
    }[kind]
    async with rigged() as rig:
        page = rig.join()
        for payload in ODD_PAYLOADS:
            rig.broker.receive(page, text.Request(action, payload, next(Page._ids)))
            await wait_until(
                lambda p=payload: any(frame.endswith(frame_of(p)) for frame in page.raw),
                what=payload[:40],
            )


async def test_an_action_without_a_payload_gets_an_empty_one():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        assert b'{"signal":"echo"}' in page.raw


async def test_a_request_without_an_id_runs_and_has_no_end():
    async with rigged() as rig:
        page = rig.join()
        rig.broker.receive(page, text.Request("echo", b"1", None))
        await page.signal("echo")
        await page.run("echo", b"2")
        assert page.loads("echo") == [1, 2]
        assert len(page.loads("__process")) == 2


async def test_actions_keep_their_order():
    async with rigged() as rig:
        page = rig.join()
        ids = [page.request("echo", n) for n in range(200)]
        await page.end(ids[-1])
        assert page.loads("echo") == list(range(200))
        assert [p["id"] for p in page.loads("__process") if p["status"] == "end"] == ids


async def test_a_failed_action_tells_its_type_text_and_in_debug_its_traceback():
    for debug in (True, False):
        async with rigged(debug=debug) as rig:
            page = rig.join()
            end = await page.run("fail")
            assert end["outcome"] == "error"
            assert end["error"]["type"] == "ValueError"
            assert end["error"]["message"] == "it failed"
            assert end["error"]["traceback"] == ("trace" if debug else None)
            assert page.loads("error") == ["it failed"]


async def test_progress_that_is_no_number_is_shown_as_null():
    async with rigged() as rig:
        page = rig.join()
        id_ = page.request("progress")
        await page.end(id_)
        assert page.loads("__progress") == [
            {"id": id_, "value": 0.5, "total": 1.0},
            {"id": id_, "value": None, "total": None},
        ]


async def test_a_batch_is_as_good_as_its_messages():
    async with rigged() as rig:
        page = rig.join()
        await page.run("batch")
        assert page.loads("b") == [0, 1, 2]


async def test_what_one_turn_takes_from_kernels_is_one_write():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        before = page.writes
        frames = codec.encode(m.Emit(session=page.session, signal="n", payload=b"1"))
        (name,) = rig.broker._tables.by_routing
        for _ in range(100):
            rig.broker._inbound.receive(name, frames)
        rig.broker._channel._on_readable()
        assert page.loads("n") == [1] * 100
        assert page.writes == before + 1


# -- pages and sessions ----------------------------------------------------------------------------


async def test_a_second_page_of_the_session_sees_all_and_another_session_nothing():
    async with rigged() as rig:
        first = rig.join()
        second = rig.join(session=first.session)
        other = rig.join()
        assert second.session == first.session != other.session
        assert second.connected["resumed"]
        assert not first.connected["resumed"]
        id_ = first.request("echo", "hello")
        await second.end(id_)
        assert second.loads("echo") == ["hello"]
        assert first.loads("echo") == ["hello"]
        assert other.loads("echo") == []


async def test_a_page_that_comes_back_gets_what_it_missed_and_nothing_twice():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo", 1)
        at = page.connected["at"]
        counted = [f for f in page.frames if f["signal"] not in ("__connect", "__kernel")]
        id_ = page.request("hold", "still here")
        await page.signal("held")
        counted = [f for f in page.frames if f["signal"] not in ("__connect", "__kernel")]
        page.leave()
        watcher = rig.join()
        await watcher.run("release")
        back = rig.join(
            session=page.session, received=at + len(counted), epoch=page.connected["epoch"]
        )
        assert (await back.end(id_))["outcome"] == "done"
        assert back.connected["at"] == at + len(counted)
        assert [f["signal"] for f in back.frames] == ["__connect", "__process", "__kernel"]


async def test_a_page_that_comes_back_learns_what_still_runs():
    async with rigged() as rig:
        page = rig.join()
        id_ = page.request("hold")
        await page.signal("held")
        page.leave()
        back = rig.join(session=page.session)
        (running,) = back.connected["running"]
        assert (running["id"], running["action"]) == (id_, "hold")
        await back.run("release")


async def test_a_request_that_is_sent_again_does_not_run_again():
    async with rigged() as rig:
        page = rig.join()
        id_ = page.request("echo", 1)
        await page.end(id_)
        page.request("echo", 1, id_=id_)
        await page.run("echo", 2)
        assert page.loads("echo") == [1, 2]


async def test_an_unknown_session_id_gets_a_new_session():
    async with rigged() as rig:
        page = rig.join(session="never heard of")
        assert page.session != "never heard of"
        assert not page.connected["resumed"]


async def test_a_session_belongs_to_its_analysis():
    async with rigged() as rig:
        page = rig.join("a")
        assert rig.join("b", session=page.session).session != page.session


async def test_a_legacy_page_gets_only_process_frames_of_its_own_ids():
    async with rigged() as rig:
        modern = rig.join()
        legacy = rig.join(session=modern.session, received=None)
        theirs = modern.request("echo", 1)
        await modern.end(theirs)
        await modern.run("progress")
        own = legacy.request("echo", 2)
        await legacy.end(own)
        assert {p["id"] for p in legacy.loads("__process")} == {own}
        assert legacy.loads("__progress") == []
        assert legacy.loads("__kernel") == []
        assert legacy.loads("echo") == [1, 2]


@pytest.mark.expected_log("1 sessions, the limit")
async def test_a_page_beyond_the_sessions_limit_is_turned_away():
    async with rigged(sessions=1) as rig:
        page = rig.join()
        assert rig.join(session=page.session).closed is None
        turned_away = rig.join()
        assert turned_away.closed[0] == 1013
        turned_away.leave()


async def test_unknown_analysis_is_a_key_error():
    async with rigged() as rig:
        with pytest.raises(KeyError):
            rig.join("nobody")


async def test_what_a_page_says_before_connect_or_after_it_left_is_harmless():
    async with rigged() as rig:
        page = rig.join()
        page.leave()
        page.leave()
        rig.broker.delivered(page)
        page.request("echo")
        stranger = Page(rig.broker)
        rig.broker.complain(stranger, "what?")
        assert stranger.loads("error") == ["what?"]


async def test_a_complaint_has_its_place_in_the_stream():
    async with rigged() as rig:
        page = rig.join()
        rig.broker.complain(page, "not understood")
        rig.broker.receive(page, text.Connect())
        assert page.loads("error")[0] == "not understood"
        assert "__connect" in page.loads("error")[1]
        again = rig.join(session=page.session)
        assert again.loads("error") == page.loads("error")


# -- state -----------------------------------------------------------------------------------------


@pytest.mark.expected_log(DEATHS)
async def test_state_is_restored_after_a_kill():
    async with rigged() as rig:
        page = rig.join()
        await page.run("state_hooked", {"deep": [1, 2]})
        await page.run("class_state", 4)
        await page.run("class_state", 5)
        assert page.loads("opened") == [{"restored": None, "data": {}}]
        assert page.loads("data") == [{"k": "shown"}]
        rig.kill(signal.SIGKILL)
        opened = await page.signal("opened", 2)
        assert opened["data"] == {"k": {"deep": [1, 2]}}
        assert "SIGKILL" in opened["restored"]
        assert (await page.run("welcomed"))["result"] == [["c", 2, 5]]
        # A page that comes anew is shown what pages see.
        assert rig.join(session=page.session, received=None).loads("data") == [{"k": "shown"}]
        assert rig.join().loads("class_data") == [{"c": 5}]


async def test_class_data_reaches_every_session():
    async with rigged() as rig:
        pages = [rig.join() for _ in range(5)]
        other = rig.join("b")
        await pages[0].run("class_state", "all")
        for page in pages:
            assert (await page.signal("class_data")) == {"c": "all"}
        assert other.loads("class_data") == []


# -- how it ends -----------------------------------------------------------------------------------


async def test_the_socket_is_private_and_goes():
    rig = Rig()
    await rig.broker.start()
    path = Path(rig.broker.endpoint.removeprefix("ipc://"))
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await rig.broker.stop()
    assert not path.parent.exists()


@pytest.mark.expected_log("The folder of the server's socket, .*, is gone", "restarted by a page")
@pytest.mark.parametrize("what", ["folder", "socket"])
async def test_a_socket_that_a_cleaner_took_away_is_bound_in_a_new_folder(what):
    async with rigged("a", "b") as rig:
        page, before = rig.join("a"), rig.broker.endpoint
        await page.run("echo")
        path = Path(before.removeprefix("ipc://"))
        path.unlink()
        if what == "folder":
            path.parent.rmdir()
        other = rig.join("b")  # the first kernel of another analysis
        assert (await other.run("echo"))["outcome"] == "done"
        assert (await page.run("echo", 2))["outcome"] == "done"  # the running one is untouched
        assert rig.kernel("a")["generation"] == 1
        assert rig.broker.endpoint != before
        assert not path.parent.exists()
        page.control("restart")
        await wait_until(lambda: rig.kernel("a")["generation"] == 2)
        assert (await page.run("echo", 3))["outcome"] == "done"
        folder = Path(rig.broker.endpoint.removeprefix("ipc://")).parent
    assert not folder.exists()


@pytest.mark.expected_log("no room for a folder", "restarted by a page", "The folder of the server")
async def test_a_kernel_whose_socket_cannot_be_made_says_why(monkeypatch):
    def refuse(**_options):
        raise OSError(errno.ENOSPC, "no room for a folder")

    async with rigged(hello_exit_limit=1) as rig:
        page = rig.join()
        await page.run("echo")
        Path(rig.broker.endpoint.removeprefix("ipc://")).unlink()
        monkeypatch.setattr(socketfolder.tempfile, "mkdtemp", refuse)
        page.control("restart")
        await wait_until(lambda: page.kernel["state"] == "failed")
        assert "no room for a folder" in page.kernel["reason"]
        monkeypatch.undo()
        page.control("restart")
        assert (await page.run("echo"))["outcome"] == "done"


async def test_kernels_start_with_their_first_page_and_end_with_the_broker():
    async with rigged() as rig:
        assert rig.broker.kernel_state("a") == "none"
        assert rig.broker.status()["kernels"] == []
        rig.join()
        await rig.ready()
        assert rig.broker.kernel_state("b") == "none"
        pid = rig.kernel()["pid"]
        assert is_alive(pid)
    assert not is_alive(pid)


async def test_requests_are_lost_when_the_broker_stops():
    async with rigged() as rig:
        page = rig.join()
        id_ = page.request("never")
        await page.run("echo")
    (end,) = page.ends(id_)
    assert end["outcome"] == "lost"
    assert "the server stops" in end["error"]["message"]
    assert page.kernel["state"] == "stopping"


async def test_open_requests_are_waited_for_and_further_ones_refused():
    async with rigged() as rig:
        page = rig.join()
        open_ids = [page.request("hold"), page.request("release")]  # both before the kernel is up
        winding = asyncio.ensure_future(rig.broker.wind_down(LIMIT_S))
        await asyncio.sleep(0)
        late = await page.run("echo", 1)
        assert late["outcome"] == "error"
        assert late["error"]["message"] == "action 'echo': the server stops; not run"
        assert not winding.done()
        await winding
        assert [page.ends(id_)[0]["outcome"] for id_ in open_ids] == ["done", "done"]
        await rig.broker.wind_down(0)  # nothing is open: no wait
        late = rig.join("b")
        assert late.closed[0] == 1001
        assert rig.broker.kernel_state("b") == "none"  # nothing begins any more


@pytest.mark.expected_log("1 action took more than 0.1 s, the limit; ended")
async def test_requests_are_not_waited_for_beyond_the_limit():
    async with rigged() as rig:
        page = rig.join()
        id_ = page.request("never")
        await page.run("echo")
        await rig.broker.wind_down(0.05)
        await rig.broker.stop(1)
        assert page.ends(id_)[0]["outcome"] == "lost"


async def test_stop_keeps_its_limit_though_a_kernel_ignores_message_and_sigterm():
    rig = Rig(shutdown_limit_s=1.0)
    await rig.broker.start()
    stubborn, well = rig.join("a"), rig.join("b")
    await stubborn.run("stubborn")
    child = (await well.run("child", True))["result"]
    pids = [rig.kernel("a")["pid"], rig.kernel("b")["pid"], child]
    await asyncio.wait_for(rig.broker.stop(), LIMIT_S)
    assert [pid for pid in pids if is_alive(pid)] == []
    assert rig.broker.kernel_state("a") == rig.broker.kernel_state("b") == "stopped"


async def test_stop_keeps_its_limit_though_a_kernel_is_stopped():
    rig = Rig(shutdown_limit_s=0.5)
    await rig.broker.start()
    rig.join()
    await rig.ready()
    pid = rig.kernel()["pid"]
    os.kill(pid, signal.SIGSTOP)
    await asyncio.wait_for(rig.broker.stop(), 5)
    assert not is_alive(pid)
    assert rig.broker.kernel_state("a") == "stopped"


async def test_stop_before_any_kernel_said_hello():
    async with rigged("mute", shutdown_limit_s=0.5) as rig:
        page = rig.join("mute")
        id_ = page.request("echo")
        pid = rig.kernel("mute")["pid"]
    assert not is_alive(pid)
    assert page.ends(id_)[0]["outcome"] == "error"


@pytest.mark.expected_log(DEATHS)
async def test_requests_that_wait_out_a_backoff_end_when_the_broker_stops():
    async with rigged(backoff_first_s=60.0, backoff_max_s=60.0) as rig:
        page = rig.join()
        for generation in (1, 2):
            await wait_until(
                lambda g=generation: (
                    rig.kernel()["generation"] == g and rig.broker.kernel_state("a") == "idle"
                )
            )
            rig.kill(signal.SIGKILL)
        await page.kernel_state("backoff")
        id_ = page.request("echo")
    assert page.ends(id_)[0]["outcome"] == "error"


async def test_two_brokers_side_by_side_leave_each_other_alone():
    async with rigged() as first:
        page = first.join()
        await first.ready()
        pid = first.kernel()["pid"]
        async with rigged() as second:
            other = second.join()
            assert second.broker.mark != first.broker.mark
            assert (await other.run("echo", 1))["outcome"] == "done"
        assert is_alive(pid)
        assert (await page.run("echo", 2))["outcome"] == "done"


async def test_a_broker_that_cannot_bind_leaves_nothing(tmp_path, monkeypatch):
    def refuse(channel, endpoint):
        raise OSError("cannot bind")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(Channel, "bind", refuse)
    with pytest.raises(OSError, match="cannot bind"):
        await Rig().broker.start()
    assert list(tmp_path.iterdir()) == []


async def test_status_counts():
    async with rigged() as rig:
        page = rig.join()
        rig.join(session=page.session)
        await rig.ready()
        status = rig.broker.status()
        assert (status["sessions"], status["pages"], status["dropped"]) == (1, 2, 0)
        assert rig.kernel()["state"] == "idle"
        json.dumps(status)
