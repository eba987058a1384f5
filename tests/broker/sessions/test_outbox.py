"""What is to be written to pages: one write each, and a page that lags is served from the ring."""

import itertools
from types import SimpleNamespace

import pytest

from databench.broker.records import HostedSession, PageRecord
from databench.broker.sessions.outbox import Outbox
from databench.protocol import text
from databench.protocol.session import Session
from databench.settings import Settings
from tests.protocol.session_model import hold_class_values


class Paper:
    """A page that keeps each write."""

    visitor = ""
    address = "127.0.0.1"
    is_linked = False
    may_administer = True

    def __init__(self):
        self.writes = []

    def write(self, frames):
        self.writes.append(list(frames))

    def close(self, code, reason):
        raise AssertionError("nobody asked for that")


@pytest.fixture
def desk():
    """A session with two pages, one of the client of 0.7, and their outbox."""
    outbox = Outbox(lag_bytes=100, window_bytes=10)
    session = Session("s", epoch="e", request_args="", limits=Settings())
    hosted = HostedSession(session, None)
    modern, legacy = Paper(), Paper()
    for page, received in ((modern, 0), (legacy, None)):
        session.join(page, text.Connect(received=received), hold_class_values({}))
        outbox.page_records[page] = PageRecord(page, hosted)
    return SimpleNamespace(
        outbox=outbox, session=session, hosted=hosted, modern=modern, legacy=legacy
    )


def publish(desk, *frames, process_id=None):
    for frame in frames:
        desk.session.append(frame)
    desk.outbox.publish(desk.hosted, frames, process_id)


def test_what_was_gathered_is_one_write_per_page(desk):
    publish(desk, b"1", b"2")
    publish(desk, b"3")
    assert desk.modern.writes == []
    desk.outbox.flush()
    desk.outbox.flush()
    assert desk.modern.writes == desk.legacy.writes == [[b"1", b"2", b"3"]]


def test_frames_about_requests_of_others_are_kept_from_a_page_that_throws_on_them(desk):
    start = text.compose_start(7)
    publish(desk, start, b"emit", process_id=7)
    desk.outbox.flush()
    assert desk.modern.writes == [[start, b"emit"]]
    assert desk.legacy.writes == [[b"emit"]]
    desk.session.views[desk.legacy].own_ids.add(8)
    publish(desk, text.compose_start(8), process_id=8)
    desk.outbox.flush()
    assert desk.legacy.writes[-1] == [text.compose_start(8)]


def test_an_announcement_goes_to_pages_that_know_it(desk):
    desk.outbox.announce(desk.hosted, b"kernel")
    desk.outbox.flush()
    assert (desk.modern.writes, desk.legacy.writes) == ([[b"kernel"]], [])


def test_a_page_that_lags_gets_no_more_until_it_has_drained(desk):
    publish(desk, b"x" * 101)
    publish(desk, b"later")
    desk.outbox.flush()
    assert desk.modern.writes == [[b"x" * 101]]
    view = desk.session.views[desk.modern]
    assert view.is_lagging
    assert view.cursor == 1
    desk.outbox.page_records[desk.modern].in_flight_bytes = 0
    publish(desk, b"still later")  # not before it has caught up: order
    desk.outbox.flush()
    assert len(desk.modern.writes) == 1
    frames = desk.session.catch_up(desk.modern, hold_class_values({}))
    assert list(frames) == [b"later", b"still later"]


def test_bytes_in_flight_are_counted(desk):
    publish(desk, b"12345", b"678")
    assert desk.outbox.page_records[desk.modern].in_flight_bytes == 8


def test_a_page_that_is_gone_is_written_nothing(desk):
    publish(desk, b"1")
    page_record = desk.outbox.forget(desk.modern)
    assert page_record.frames == [b"1"]
    assert desk.outbox.forget(desk.modern) is None
    desk.outbox.flush()
    assert desk.modern.writes == []


def test_what_a_write_brings_about_is_flushed_too(desk):
    write = desk.modern.write

    def write_and_publish(frames):
        write(frames)
        desk.modern.write = write
        publish(desk, b"consequence")

    desk.modern.write = write_and_publish
    publish(desk, b"cause")
    desk.outbox.flush()
    assert desk.modern.writes == [[b"cause"], [b"consequence"]]


def test_a_page_from_which_all_was_kept_has_drained(desk):
    delivered = []
    desk.outbox.on_delivered = delivered.append
    publish(desk, text.compose_start(7), process_id=7)
    desk.outbox.flush()
    assert desk.legacy.writes == []
    assert delivered == [desk.legacy]


def test_a_page_that_took_everything_at_once_is_told_of(desk):
    delivered = []
    desk.outbox.on_delivered = delivered.append
    desk.modern.write = lambda frames: True
    publish(desk, b"1")
    desk.outbox.flush()
    assert delivered == [desk.modern]


# ---------------------------------------------------------------- replays


def begin_replay(desk, *frames):
    page_record = desk.outbox.page_records[desk.modern]
    taken = []

    def take():
        for frame in frames:
            taken.append(frame)
            yield frame

    desk.outbox.replay(page_record, take())
    desk.outbox.flush()
    return page_record, taken


def test_a_replay_is_written_in_steps_of_a_window_and_taken_as_it_is_written(desk):
    frames = [b"%d" % number * 4 for number in range(6)]
    page_record, taken = begin_replay(desk, *frames)
    assert desk.modern.writes == [frames[:3]]
    assert taken == frames[:3]
    assert page_record.in_flight_bytes == 12
    desk.outbox.step(page_record)
    desk.outbox.flush()
    assert desk.modern.writes == [frames[:3], frames[3:]]


def test_a_frame_larger_than_the_window_goes_alone(desk):
    page_record, _ = begin_replay(desk, b"x" * 50, b"y" * 50)
    assert desk.modern.writes == [[b"x" * 50]]
    desk.outbox.step(page_record)
    desk.outbox.flush()
    assert desk.modern.writes[1:] == [[b"y" * 50]]


def test_what_comes_meanwhile_follows_a_replay_in_order(desk):
    page_record, _ = begin_replay(desk, *[b"%d" % number * 6 for number in range(4)])
    publish(desk, b"live")
    desk.outbox.announce(desk.hosted, b"kernel")
    desk.outbox.flush()
    assert len(desk.modern.writes) == 1
    for _ in range(3):
        desk.outbox.step(page_record)
        desk.outbox.flush()
    assert list(itertools.chain(*desk.modern.writes)) == [
        *[b"%d" % number * 6 for number in range(4)],
        b"live",
        b"kernel",
    ]
    assert page_record.replay is None
    publish(desk, b"later")
    desk.outbox.flush()
    assert desk.modern.writes[-1] == [b"later"]


def test_what_waits_behind_a_replay_is_limited_as_what_is_in_flight(desk):
    page_record, _ = begin_replay(desk, *[b"%d" % number * 6 for number in range(4)])
    for _ in range(50):
        publish(desk, b"x" * 50)
    assert page_record.in_flight_bytes <= 100 + 50
    assert desk.session.views[desk.modern].is_lagging


def test_a_replay_of_nothing_has_drained(desk):
    delivered = []
    desk.outbox.on_delivered = delivered.append
    begin_replay(desk)
    assert desk.modern.writes == []
    assert delivered == [desk.modern]
