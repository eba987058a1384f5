"""The ROUTER: what goes in and out of it, and what it drops."""

import asyncio
import tempfile
from pathlib import Path

import pytest
import zmq

from databench.broker.channel import Channel
from tests.broker.harness import wait_until


class Ends:
    """A channel and as many DEALERs as a test wants."""

    def __init__(self, **limits):
        self.got = []
        self.flushes = []
        self.folder = tempfile.TemporaryDirectory()
        limits = {
            "drain_messages": 100,
            "drain_turn_s": 60.0,
            "message_bytes": 2**20,
            **limits,
        }
        self.endpoint = f"ipc://{self.folder.name}/s"
        self.channel = Channel(
            on_message=lambda id_, frames: self.got.append((id_, frames)),
            on_flush=lambda: self.flushes.append(len(self.got)),
            **limits,
        )
        self.context = zmq.Context()
        self.dealers = []

    def dealer(self, id_=b"k1.1"):
        socket = self.context.socket(zmq.DEALER)
        socket.setsockopt(zmq.IDENTITY, id_)
        socket.setsockopt(zmq.LINGER, 1000)
        socket.setsockopt(zmq.RCVTIMEO, 5000)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.connect(self.endpoint)
        self.dealers.append(socket)
        return socket

    def close(self):
        for socket in self.dealers:
            socket.close(0)
        self.context.term()
        self.channel.close()
        self.folder.cleanup()


@pytest.fixture
async def ends():
    made = Ends()
    made.channel.open()
    made.channel.bind(made.endpoint)
    yield made
    made.close()


async def test_frames_go_both_ways_as_they_are(ends):
    dealer = ends.dealer()
    frames = [b"header", b"", b"\x00\xff", b"x" * 100_000]
    dealer.send_multipart(frames)
    await wait_until(lambda: ends.got)
    assert ends.got == [(b"k1.1", frames)]
    assert ends.channel.send(b"k1.1", frames)
    assert dealer.recv_multipart() == frames


async def test_a_peer_that_is_not_there_is_told(ends):
    assert not ends.channel.send(b"nobody", [b"x"])


async def test_many_messages_are_taken_in_order_and_flushed_in_groups(ends):
    dealer = ends.dealer()
    for n in range(5000):
        dealer.send_multipart([b"%d" % n])
    await wait_until(lambda: len(ends.got) == 5000)
    assert [frames for _, frames in ends.got] == [[b"%d" % n] for n in range(5000)]
    taken = [after - before for before, after in zip([0, *ends.flushes], ends.flushes)]
    assert max(taken) <= 100
    assert len(ends.flushes) < 2500


async def test_a_group_ends_by_the_clock_too():
    ends = Ends(drain_turn_s=0.0)
    ends.channel.open()
    ends.channel.bind(ends.endpoint)
    try:
        dealer = ends.dealer()
        for n in range(20):
            dealer.send_multipart([b"%d" % n])
        await wait_until(lambda: len(ends.got) == 20)
        assert [n for n in ends.flushes if n] == list(range(1, 21))
    finally:
        ends.close()


async def test_what_arrives_during_a_send_is_seen(ends):
    """The descriptor is edge-triggered: a send may swallow its edge."""
    dealer = ends.dealer()
    dealer.send_multipart([b"first"])
    await wait_until(lambda: ends.got)
    for n in range(60):
        dealer.send_multipart([b"%d" % n])
        ends.channel.send(b"k1.1", [b"x"])
        await wait_until(lambda n=n: len(ends.got) == n + 2, 5)


@pytest.mark.expected_log("could not be handled; dropped")
async def test_a_message_that_we_fail_to_handle_stops_no_other(ends):
    receive = ends.channel._on_message

    def fail_once(id_, frames):
        ends.channel._on_message = receive
        raise ZeroDivisionError

    ends.channel._on_message = fail_once
    dealer = ends.dealer()
    for n in range(10):
        dealer.send_multipart([b"%d" % n])
    await wait_until(lambda: ends.got and ends.got[-1][1] == [b"9"])
    assert len(ends.got) == 9


async def test_a_peer_that_is_gone_is_awaited_until_it_is_read_to_its_end(ends):
    """libzmq's thread reads at its own pace: an empty socket is not yet the end."""
    for life in range(5):
        ends.got.clear()
        dealer = ends.dealer(b"k1.%d" % life)
        for n in range(200):
            dealer.send_multipart([b"%d" % n, b"x" * 20_000])
        dealer.close(5000)
        await wait_until(lambda: ends.got)
        await wait_until(lambda life=life: ends.channel.is_read(b"k1.%d" % life))
        ends.channel.forget(b"k1.%d" % life)
        assert [frames[0] for _, frames in ends.got] == [b"%d" % n for n in range(200)]


async def test_waiting_for_the_end_of_a_peer_takes_nothing_beside_the_turns(ends):
    """Another peer that never pauses would hold up the loop for as long as it sends."""
    talker, dead = ends.dealer(b"talker"), ends.dealer(b"dead")
    dead.send_multipart([b"up"])
    talker.send_multipart([b"up"])
    await wait_until(lambda: len(ends.got) == 2)
    for n in range(500):
        dead.send_multipart([b"%d" % n])
    dead.close(5000)
    is_read = False
    while not is_read:
        for _ in range(200):
            talker.send_multipart([b"more"])
        before = len(ends.got)
        is_read = ends.channel.is_read(b"dead")
        assert len(ends.got) == before
        if is_read:
            break
        await asyncio.sleep(0)
    of_dead = [frames[0] for id_, frames in ends.got if id_ == b"dead"]
    assert of_dead[1:] == [b"%d" % n for n in range(500)]
    pools = [after - before for before, after in zip([0, *ends.flushes], ends.flushes)]
    assert max(pools) <= 100
    ends.channel.forget(b"dead")
    assert not ends.channel._ending


@pytest.mark.slow
async def test_many_peers_that_end_while_others_talk_are_each_read_to_their_end(ends):
    """libzmq moves a queue back when another one ends: none may be taken for empty too soon."""
    talkers = [ends.dealer(b"talker%d" % n) for n in range(3)]
    ending = {b"dead%d" % n: 20 + 37 * n for n in range(20)}
    for id_, count in ending.items():
        dead = ends.dealer(id_)
        for n in range(count):
            dead.send_multipart([b"%d" % n])
        dead.close(5000)
    await wait_until(lambda: {id_ for id_, _ in ends.got} >= set(ending))
    while ending:
        for talker in talkers:
            for _ in range(20):
                talker.send_multipart([b"more"])
        for id_ in [id_ for id_ in ending if ends.channel.is_read(id_)]:
            of_dead = [frames[0] for other, frames in ends.got if other == id_]
            assert of_dead == [b"%d" % n for n in range(ending.pop(id_))]
            ends.channel.forget(id_)
        await asyncio.sleep(0)


async def test_a_frame_beyond_the_limit_disconnects_its_sender_alone(ends):
    big, well = ends.dealer(b"big"), ends.dealer(b"well")
    well.send_multipart([b"1"])
    big.send_multipart([b"x" * (2**20 + 1)])
    await wait_until(lambda: ends.got)
    well.send_multipart([b"2"])
    await wait_until(lambda: len(ends.got) == 2)
    assert [id_ for id_, _ in ends.got] == [b"well", b"well"]


async def test_nobody_takes_over_a_name_that_is_in_use(ends):
    own = ends.dealer(b"k1.1")
    own.send_multipart([b"mine"])
    await wait_until(lambda: ends.got)
    thief = ends.dealer(b"k1.1")
    thief.send_multipart([b"stolen"])
    other = ends.dealer(b"k2.1")
    other.send_multipart([b"after"])
    await wait_until(lambda: len(ends.got) == 2)
    assert ends.got[1] == (b"k2.1", [b"after"])
    ends.channel.send(b"k1.1", [b"secret"])
    assert own.recv_multipart() == [b"secret"]


async def test_a_path_that_is_too_long_is_told():
    made = Ends()
    made.channel.open()
    with pytest.raises(OSError, match=r"too long, limit 107 bytes"):
        made.channel.bind("ipc:///tmp/" + "x" * 110)
    made.close()


async def test_an_endpoint_that_cannot_be_bound_is_an_os_error(tmp_path):
    made = Ends()
    made.channel.open()
    with pytest.raises(OSError):
        made.channel.bind(f"ipc://{tmp_path}/not/there")
    made.close()


async def test_a_second_endpoint_keeps_who_came_by_the_first(ends, tmp_path):
    first = ends.dealer()
    first.send_multipart([b"1"])
    await wait_until(lambda: ends.got)
    Path(ends.endpoint.removeprefix("ipc://")).unlink()
    ends.endpoint = f"ipc://{tmp_path}/s"
    ends.channel.bind(ends.endpoint)
    second = ends.dealer(b"k2.1")
    second.send_multipart([b"2"])
    first.send_multipart([b"3"])
    await wait_until(lambda: len(ends.got) == 3)
    for id_, dealer in ((b"k1.1", first), (b"k2.1", second)):
        assert ends.channel.send(id_, [id_])
        assert dealer.recv_multipart() == [id_]


async def test_a_closed_channel_sends_and_takes_nothing(ends):
    dealer = ends.dealer()
    dealer.send_multipart([b"x"])
    await wait_until(lambda: ends.got)
    ends.channel.close()
    assert not ends.channel.send(b"k1.1", [b"x"])
    assert ends.channel.is_read(b"k1.1")
    ends.channel._on_readable()  # it was scheduled before the end
    assert len(ends.got) == 1
