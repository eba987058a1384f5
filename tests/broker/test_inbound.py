"""What kernels say, and how one that does not keep to the protocol harms only itself."""

import json
import signal

import msgpack
import pytest
import zmq

from databench.protocol import text
from tests.broker.harness import rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]
DEATHS = r"was ended by SIG|exited with status"


def header(*fields):
    return msgpack.packb(list(fields)).hex()


class Ghost:
    """Somebody who knows the endpoint and takes a name."""

    def __init__(self, rig, name):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.IDENTITY, name)
        self.socket.setsockopt(zmq.LINGER, 1000)
        self.socket.connect(rig.broker.endpoint)

    def say(self, *fields, payload=b""):
        self.socket.send_multipart([msgpack.packb(list(fields)), payload])

    def close(self):
        self.socket.close()
        self.context.term()


# -- who speaks ------------------------------------------------------------------------------------


@pytest.mark.expected_log(DEATHS)
async def test_frames_of_an_older_generation_are_dropped_and_counted():
    async with rigged() as rig:
        page = rig.join()
        id_ = page.request("never")
        await page.run("echo", 1)
        (name,) = rig.broker._tables.by_routing
        rig.kill(signal.SIGKILL)
        await page.end(id_)
        await page.run("echo", 2)
        ghost = Ghost(rig, name)
        before = rig.broker.status()["dropped"]
        ghost.say("emit", page.session, None, "echo", payload=b'"from the grave"')
        ghost.say("done", page.session, 1)
        await wait_until(lambda: rig.broker.status()["dropped"] == before + 2)
        assert page.loads("echo") == [1, 2]
        ghost.close()


@pytest.mark.expected_log("does not belong to this server")
async def test_a_stranger_on_the_socket_is_dropped_and_counted():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo", 1)
        stranger = Ghost(rig, b"stranger")
        stranger.say("hello", None, None, 1, "token", "x", "x", [])
        stranger.say("emit", page.session, None, "echo", payload=b"2")
        stranger.socket.send_multipart([b"junk"] * 100)
        stranger.socket.send_multipart([b"junk"])
        await wait_until(lambda: rig.broker.status()["dropped"] == 4)
        assert page.loads("echo") == [1]
        stranger.close()


async def test_a_kernel_that_was_not_welcomed_is_not_heard():
    async with rigged("mute") as rig:
        page = rig.join("mute")
        (name,) = rig.broker._tables.by_routing
        ghost = Ghost(rig, name)
        ghost.say("emit", page.session, None, "echo", payload=b"1")
        await wait_until(lambda: rig.broker.status()["dropped"] == 1)
        assert page.loads("echo") == []
        ghost.close()


@pytest.mark.expected_log("a second hello; rejected", DEATHS)
async def test_a_second_hello_is_rejected():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        supervisor = rig.broker._tables.pools["a"].records[0].kernel
        words = header("hello", None, None, 1, supervisor.token, "x", "x", [])
        page.request("raw", [[words, ""]])
        await page.signal("opened", 2)  # it exits on a reject, and comes back


async def test_a_message_for_a_session_that_is_not_there_is_dropped():
    async with rigged() as rig:
        page = rig.join()
        await page.run("raw", [[header("emit", "nobody", None, "x"), ""]])
        assert rig.broker.status()["dropped"] == 1


@pytest.mark.expected_log(DEATHS, "does not belong to this server")
async def test_nobody_can_take_the_routing_id_of_a_kernel_to_come():
    """It would get what is meant for that kernel, which could never say hello."""
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo", 1)
        guesses = [b"k%d.%d" % (kernel, life) for kernel in range(1, 4) for life in range(1, 4)]
        squatters = [Ghost(rig, name) for name in guesses]
        before = rig.broker.status()["dropped"]
        for squatter in squatters:
            squatter.say("pong", None, None, 1)
        await wait_until(lambda: rig.broker.status()["dropped"] == before + len(squatters))
        rig.kill(signal.SIGKILL)
        await page.signal("opened", 2)
        other = rig.join("b")
        assert (await page.run("echo", 2))["outcome"] == "done"
        assert (await other.run("echo", 3))["outcome"] == "done"
        for squatter in squatters:
            assert not squatter.socket.poll(0)
            squatter.close()


@pytest.mark.expected_log("restarted by a page")
async def test_each_life_has_a_routing_id_of_its_own_and_one_alone():
    async with rigged() as rig:
        page = rig.join()
        seen = set()
        for life in range(1, 4):
            await page.run("echo", 1)
            (name,) = rig.broker._tables.by_routing
            label, _, secret = name.rpartition(b".")
            assert label == b"k1.%d" % life
            assert len(secret) >= 22  # 128 bits
            seen.add(secret)
            page.control("restart")
            await page.kernel_state("starting")
        assert len(seen) == 3


# -- junk ------------------------------------------------------------------------------------------


@pytest.mark.expected_log("kernel 'a':")
async def test_junk_is_counted_and_what_follows_is_understood():
    async with rigged() as rig:
        page = rig.join()
        end = await page.run("junk")
        assert end["outcome"] == "done"
        assert rig.broker.status()["dropped"] == 4
        assert "'__connect' is Databench's own; not shown" in page.loads("error")[0]
        assert len(page.loads("__connect")) == 1
        assert rig.kernel()["deaths"] == 0


@pytest.mark.expected_log("kernel 'a'")
async def test_a_kernel_is_ended_beyond_the_junk_limit_and_no_other():
    async with rigged(junk_messages=50) as rig:
        page, other = rig.join("a"), rig.join("b")
        hold = other.request("hold")
        await other.signal("held")
        await page.run("much_junk", 50)
        end = await page.run("much_junk", 1)
        if end["outcome"] == "done":  # it was quicker than its end
            await wait_until(lambda: rig.kernel()["deaths"] == 1)
        assert "51 messages were not understood, limit 50" in await wait_until(
            lambda: page.loads("__kernel") and reason_of_death(page)
        )
        assert (await page.run("much_junk", 50))["outcome"] == "done"  # it counts anew
        await other.run("release")
        assert other.ends(hold)[0]["outcome"] == "done"


def reason_of_death(page):
    reasons = [load["reason"] for load in page.loads("__kernel") if "ended by" in load["reason"]]
    return reasons[0] if reasons else ""


@pytest.mark.expected_log("kernel 'a'")
@pytest.mark.parametrize(
    "frames",
    [
        [header("emit", "SESSION"), ""],
        [header("emit", 5, None, "x"), ""],
        [header("emit", "SESSION", -1, "x"), ""],
        [header("emit", "SESSION", None, 7), ""],
        [header("emit", None, None, "x"), ""],
        [header("state", None, None, "data", "k", None), "31"],
        [header("state", "SESSION", None, "class_data", "k", None), "31"],
        [header("state", "SESSION", None, "data", "k", None), "31", "32", "33"],
        [header("state", None, None, "class_data", "k", None), "22ff22"],
        [header("state", None, None, "class_data", "k", None), "31", ""],
        [header("done", "SESSION", 10**6), ""],
        [header("progress", "SESSION", 10**6, 0.5, None), ""],
        [header("error", "SESSION", 10**6, "T", "t"), ""],
        [header("log", "SESSION", None, "shout"), ""],
        [header("log", None, None, "log"), ""],
        [header("opened", None, None), ""],
        [header("pong", None, None, "x"), ""],
        [header("batch", None, None), "c0"],
        [header("batch", None, None), msgpack.packb([[b"\xc1"]]).hex()],
        [
            header("batch", None, None),
            msgpack.packb([[msgpack.packb(["batch", None, None]), b"\x90"]]).hex(),
        ],
        [msgpack.packb(msgpack.ExtType(5, b"x")).hex(), ""],
        ["", ""],
        ["93" * 500, ""],
        [""] * 60,
    ],
)
async def test_each_kind_of_junk_harms_nobody(frames):
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo", 1)
        size = msgpack.packb(page.session).hex()
        words = [frame.replace(msgpack.packb("SESSION").hex(), size) for frame in frames]
        assert (await page.run("raw", [words]))["outcome"] == "done"
        assert rig.broker.status()["dropped"] == 1
        assert (await page.run("echo", 2))["outcome"] == "done"
        assert page.loads("echo") == [1, 2]
        assert page.loads("data") == page.loads("class_data") == []


FORGED = b'0},"signal":"__connect","load":{"analysis_id":"forged"'
BROKEN = [
    FORGED, b'0},{"signal":"__kernel","load":{"state":"failed"}', b"1 2", b"NaN", b"[1,", b"'a'",
    b"hello", b'"\xff"', b'"\n"', b"[" * 100_000,
]  # fmt: skip


def say(kind, session, *fields, payload=b"", further=()):
    """The frames of a message, as words for `raw`."""
    return [header(kind, session, *fields), payload.hex(), *(f.hex() for f in further)]


def pack_batch(*messages):
    frames = [[bytes.fromhex(word) for word in message] for message in messages]
    return [header("batch", None, None), msgpack.packb(frames).hex()]


@pytest.mark.expected_log("kernel 'a': .*(not one JSON value|not valid UTF-8|nested too deeply)")
async def test_a_payload_that_is_not_one_value_is_never_shown_and_costs_junk():
    """In a page's frame it would say what only the front may say, or end the page's reader."""
    async with rigged() as rig:
        page, other = rig.join(), rig.join()
        await page.run("echo", 1)
        id_, words, errors = page.session, [], 0
        for payload in BROKEN:
            words.append(say("emit", id_, None, "x", payload=payload))
            words.append(say("log", id_, None, "warn", payload=payload))
            words.append(say("state", id_, None, "data", "k", None, payload=payload))
            kept = say("state", id_, None, "data", "h", None, payload=b"1", further=[payload])
            words.append(kept)
            words.append(pack_batch(say("emit", id_, None, "x", payload=payload), kept))
            errors += 6
            words.append(say("state", None, None, "class_data", "c", None, payload=payload))
        assert (await page.run("raw", words))["outcome"] == "done"
        assert page.loads("x") == page.loads("warn") == page.loads("data") == []
        assert len(page.loads("error")) == errors
        assert all("the kernel sent bytes that are n" in text for text in page.loads("error"))
        assert rig.broker.status()["dropped"] == errors + len(BROKEN)
        for each in (page, other):
            assert None not in each.frames
            assert all(set(frame) <= {"signal", "load", "snapshot"} for frame in each.frames)
            assert len(each.loads("__connect")) == 1
        assert other.loads("class_data") == other.loads("error") == []
        # What was refused is not kept: a page that comes anew gets no such value.
        assert rig.join(session=page.session, received=None).loads("data") == []
        assert rig.kernel()["deaths"] == 0


@pytest.mark.expected_log("kernel 'a': the kernel sent a result that is n")
@pytest.mark.parametrize("payload", BROKEN)
async def test_a_result_that_is_not_one_value_fails_its_request_and_costs_junk(payload):
    async with rigged() as rig:
        page = rig.join()
        held = page.request("hold")
        await page.signal("held")
        number = max(rig.broker._tables.requests)
        frames = say("done", page.session, number, payload=payload)
        assert (await page.run("raw", [frames]))["outcome"] == "done"
        (end,) = page.ends(held)
        assert end["outcome"] == "error"
        assert "the kernel sent a result that is n" in page.loads("error")[0]
        assert "result" not in end
        assert rig.broker.status()["dropped"] == 1
        assert None not in page.frames


@pytest.mark.expected_log("kernel 'a': traceback: no")
@pytest.mark.parametrize("payload", [*BROKEN[:4], b'{"a":1}', b'"a","type":"b"'])
async def test_a_traceback_that_is_not_one_string_is_left_out_and_costs_junk(payload):
    async with rigged() as rig:
        page = rig.join()
        held = page.request("hold")
        await page.signal("held")
        number = max(rig.broker._tables.requests)
        frames = say("error", page.session, number, "T", "it failed", payload=payload)
        assert (await page.run("raw", [frames]))["outcome"] == "done"
        (end,) = page.ends(held)
        assert end["error"] == {"type": "T", "message": "it failed", "traceback": None}
        assert rig.broker.status()["dropped"] == 1


async def test_halves_of_surrogate_pairs_and_numbers_of_any_size_are_shown():
    """What encoders of other languages write, and browsers read."""
    async with rigged() as rig:
        page = rig.join()
        values = [b'"\\ud800"', b'["\\uDFFFx"]', b"1e999", b"1" * 400, b' {"a": 1} ']
        await page.run("raw", [say("emit", page.session, None, "x", payload=v) for v in values])
        assert [frame for frame in page.raw if b'"x"' in frame[:20]] == [
            b'{"signal":"x","load":' + value + b"}" for value in values
        ]
        assert page.loads("error") == []


@pytest.mark.expected_log("not valid UTF-8")
async def test_invalid_utf8_harms_only_its_own_session():
    async with rigged() as rig:
        page, other = rig.join(), rig.join()
        assert (await page.run("invalid"))["outcome"] == "done"
        assert [p for p in page.loads("error") if "not valid UTF-8" in p] == page.loads("error")
        assert len(page.loads("error")) == 2
        end = await page.run("invalid_result")
        assert end["outcome"] == "error"
        assert "not valid UTF-8" in end["error"]["message"]
        for frame in page.raw + other.raw:
            frame.decode()  # a browser would close the websocket
        assert other.loads("error") == []
        assert (await other.run("echo", 1))["outcome"] == "done"
        # What was refused is not kept: a page that comes anew gets no such value.
        assert rig.join(session=page.session, received=None).loads("data") == []


WORD = ["word of tomorrow", None, None]


@pytest.mark.expected_log(DEATHS, "kernel 'a'")
@pytest.mark.parametrize(
    "message",
    [
        say(*WORD, payload=b"x" * 5000),
        say("word of tomorrow", "nobody", payload=b"x" * 5000),
        pack_batch(say(*WORD, payload=b"x" * 5000)),
        say("emit", "nobody", None, "x", payload=b'"' + b"x" * 5000 + b'"'),
        say("pong", None, None, 5, payload=b"x" * 5000),
        say("bye", None, None, "x" * 5000),
        say("sources", None, None, ["/" + "x" * 5000], None),
    ],
)
async def test_what_belongs_to_no_session_is_bounded_until_the_kernel_keeps_up(message):
    """Nothing was counted: a kernel could send as much of it as the front's memory held."""
    async with rigged(credit_window_bytes=100_000, ping_interval_s=60) as rig:
        page, other = rig.join("a"), rig.join("b")
        await other.run("echo", 1)
        assert (await page.run("raw", [message] * 15))["outcome"] == "done"
        record = rig.broker._tables.pools["a"].records[0]
        record.stray.renew()  # as an answer to a ping does
        assert (await page.run("raw", [message] * 15))["outcome"] == "done"
        assert rig.kernel()["deaths"] == 0
        page.request("raw", [message] * 15)
        await wait_until(lambda: rig.kernel()["deaths"] == 1)
        assert "it sent more than 100000 bytes that belong to no open session" in "".join(
            load["reason"] for load in page.loads("__kernel")
        )
        assert (await page.run("echo", 1))["outcome"] == "done"
        assert rig.kernel("b")["deaths"] == 0


@pytest.mark.expected_log("this server knows no kind 'word of tomorrow'")
async def test_an_answer_to_a_ping_renews_what_a_kernel_may_send_and_no_other_word():
    async with rigged(credit_window_bytes=100_000, ping_interval_s=60) as rig:
        page = rig.join()
        await page.run("echo", 1)
        record = rig.broker._tables.pools["a"].records[0]
        await page.run("raw", [say(*WORD, payload=b"x" * 5000)] * 15)
        spent_bytes = record.stray.left_bytes
        await page.run("raw", [say("pong", None, None, n) for n in range(1, 5)])
        assert record.stray.left_bytes < spent_bytes
        record.answer_bytes = 7
        record.kernel.heartbeat.beat(0.0)
        await wait_until(lambda: record.stray.left_bytes > spent_bytes)
        assert record.answer_bytes == 0


async def test_what_was_on_its_way_to_a_session_that_was_closed_is_forgiven():
    async with rigged(credit_window_bytes=100_000, ping_interval_s=60) as rig:
        page, gone = rig.join(), rig.join()
        await page.run("echo", 1)
        hosted = rig.broker._tables.sessions[gone.session]
        gone.leave()
        rig.broker._sessions.close(hosted, "as if its grace were over")
        late = say("emit", gone.session, None, "x", payload=b'"' + b"x" * 5000 + b'"')
        assert (await page.run("raw", [late] * 30))["outcome"] == "done"
        assert rig.kernel()["deaths"] == 0


@pytest.mark.expected_log("kernel 'a': 100 frames, limit 64; dropped")
async def test_a_message_of_too_many_frames_is_junk():
    async with rigged() as rig:
        page = rig.join()
        await page.run("raw", [say("emit", page.session, None, "x", further=[b""] * 98)])
        assert rig.broker.status()["dropped"] == 1
        assert page.loads("x") == []


# -- credit ----------------------------------------------------------------------------------------


@pytest.mark.expected_log("bytes without credit")
async def test_a_flood_without_credit_is_ended_with_the_reason_while_another_echo_goes_on():
    async with rigged(credit_window_bytes=2**20) as rig:
        page, other = rig.join("a", is_slow=True), rig.join("b")
        await other.run("echo", 0)
        id_ = page.request("flood", 10_000)
        echoes = 0
        while not rig.kernel("a")["deaths"]:
            assert (await other.run("echo", 1))["outcome"] == "done"
            echoes += 1
        assert echoes > 0
        assert rig.kernel("b")["deaths"] == 0
        assert len(page.raw) < 200  # the rest stands in no list of ours
        page.is_slow = False
        rig.broker.delivered(page)
        end = await page.end(id_)
        assert end["outcome"] == "lost"
        assert "bytes without credit, limit 2097152" in end["error"]["message"]


@pytest.mark.expected_log("answers to its writes of class_data")
async def test_a_kernel_that_reads_no_answer_to_its_writes_is_ended_with_the_reason():
    async with rigged(class_data_bytes=2**20) as rig:
        end = await rig.join().run("class_flood", 1000)
        assert end["outcome"] == "lost"
        assert "of answers to its writes of class_data wait for it" in end["error"]["message"]
        assert "limit 1048576" in end["error"]["message"]


async def test_a_kernel_that_answers_pings_may_write_on():
    async with rigged(class_data_bytes=2**20, ping_interval_s=0.05) as rig:
        page = rig.join()
        for _ in range(5):  # two and a half times what may wait
            assert (await page.run("class_flood", 8))["outcome"] == "done"
            answered = rig.broker._tables.pools["a"].records[0]
            await wait_until(lambda answered=answered: answered.answer_bytes == 0)
        assert rig.kernel()["deaths"] == 0


async def test_a_page_that_drains_gives_credit_back():
    async with rigged(credit_window_bytes=2**18) as rig:
        page = rig.join()
        for _ in range(10):  # ten windows in all
            assert (await page.run("flood", 4))["outcome"] == "done"
        assert rig.kernel()["deaths"] == 0


async def test_results_of_requests_without_id_give_their_credit_back_though_nothing_is_written():
    async with rigged("a", credit_window_bytes=4096) as rig:
        page = rig.join()
        await rig.ready()
        (hosted,) = rig.broker._tables.sessions.values()
        for _ in range(20):
            rig.broker.receive(page, text.Request("result", b'"%b"' % (b"x" * 500), None))
        await wait_until(lambda: not hosted.session.requests)
        assert hosted.session.receive_window.credit_bytes * 4 > 4096 * 3


async def test_without_a_page_credit_returns_at_once():
    async with rigged(credit_window_bytes=2**18, ring_bytes=2**20) as rig:
        page = rig.join()
        await rig.ready()  # else sessions with pages are opened before this one
        id_ = page.request("flood", 60)  # 15 windows
        page.leave()
        watcher = rig.join()
        await watcher.run("echo")
        back = rig.join(session=page.session)
        assert (await back.end(id_))["outcome"] == "done"
        (gap,) = back.loads("__gap")
        assert gap["missed"] > 0


# -- state -----------------------------------------------------------------------------------------


async def test_state_beyond_its_limit_is_not_kept_and_said():
    async with rigged(state_bytes=2000) as rig:
        page = rig.join()
        await page.run("state", "x" * 1500)
        await page.run("state", "x" * 2500)
        assert "2502 bytes of state, limit 2000; not kept" in page.loads("error")[0]
        assert rig.join(session=page.session, received=None).loads("data") == [{"k": "x" * 1500}]


@pytest.mark.expected_log("bytes of class state, limit")
async def test_class_state_beyond_its_limit_is_not_kept():
    async with rigged(state_bytes=2000) as rig:
        page = rig.join()
        await page.run("class_state", 1)
        await page.run("class_state", "x" * 2500)
        await page.run("echo")
        assert rig.join().loads("class_data") == [{"c": 1}]


@pytest.mark.expected_log("this server knows no kind 'word of tomorrow'")
async def test_words_of_tomorrow_are_ignored():
    async with rigged() as rig:
        page = rig.join()
        words = [
            [header("word of tomorrow", None, None), "ff"],
            [header("log", page.session, None, "warn", "a tail of tomorrow"), json_hex("yes")],
        ]
        await page.run("raw", words)
        assert page.loads("warn") == ["yes"]
        assert rig.broker.status()["dropped"] == 0


def json_hex(value):
    return json.dumps(value).encode().hex()
