"""What a session keeps: the frames that a page of 0.7 may get."""

from databench.protocol import text
from databench.protocol.records import View


def test_page_that_does_not_count_gets_frames_of_its_own_requests_only():
    view = View(is_counting=False, cursor=0, delivered=0, own_ids={7})
    signal, start = text.compose("status", b"1"), text.compose_start(8)
    progress = text.compose_progress(8, 1, 2)
    assert view.select([signal, start, progress], 8) == [signal]
    assert view.select([signal, start, progress], 7) == [signal, start, progress]


def test_frames_about_no_request_go_to_every_page():
    view = View(is_counting=False, cursor=0, delivered=0)
    assert view.select([text.compose("status", b"")], None) == [b'{"signal":"status"}']
