"""Frames with a part that not every page may see."""

import json

from databench.protocol import text
from databench.protocol.guarded import Guarded, guard


def test_part_is_left_out_of_what_all_may_see():
    frame = guard(b"a", b"secret", b"z", instead=b"null")
    assert (frame, frame.public) == (b"asecretz", b"anullz")
    assert type(frame) is Guarded and type(frame.public) is bytes


def test_frame_without_such_a_part_is_a_plain_one():
    frame = guard(b"a", b"", b"z", instead=b"null")
    assert (frame, type(frame)) == (b"anullz", bytes)


def test_traceback_and_last_lines_are_guarded():
    failure = text.compose_failure(7, "error", "ValueError", "no", b'"trace"')
    assert json.loads(failure)["load"]["error"]["traceback"] == "trace"
    assert json.loads(failure.public)["load"]["error"]["traceback"] is None
    words = {"reason": "", "generation": 1, "retry_in_s": None, "sessions": 1}
    kernel = text.compose_kernel("failed", **words, stderr=["last"])
    assert json.loads(kernel)["load"].pop("stderr") == ["last"]
    plain = text.compose_kernel("failed", **words)
    assert type(plain) is bytes and kernel.public == plain
