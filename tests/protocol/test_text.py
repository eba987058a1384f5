"""The websocket's words: what a page may say, what it is told, and that no payload is read."""

import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from databench.errors import RemoteProtocolError
from databench.protocol import text

PAYLOADS = [
    b"1e400",
    b"-0",
    b'{"a":1,"a":2}',
    b'{ "n" :\t10 ,\n"x":1e400}',
    b'"\\ud83d\\ude00 caf\xc3\xa9"',
    b"[1 , 2,\r\n3]",
    b'"__process_id"',
    b'[{"__process_id":7}]',
    b"123456789012345678901234567890",
]
IDS = st.one_of(
    st.integers(-(2**53), 2**53), st.floats(-(2.0**53), 2.0**53, allow_nan=False, width=64)
)


# ---------------------------------------------------------------- page to front


@pytest.mark.parametrize("payload", PAYLOADS)
def test_load_of_a_page_is_kept_byte_for_byte(payload):
    frame = b'{"signal":"run","load":' + payload + b"}"
    assert text.parse_page(frame.decode()) == text.Request("run", payload)
    assert text.parse_page(frame) == text.Request("run", payload)


def test_white_space_outside_of_the_load_is_not_part_of_it():
    frame = ' { "load" :  [ 1 ,\t2 ]  , "signal" : "run" } \n'
    assert text.parse_page(frame) == text.Request("run", b"[ 1 ,\t2 ]")


def test_duplicate_words_of_the_envelope_mean_the_last_one():
    frame = '{"signal":"a","load":1,"signal":"b","load":2}'
    assert text.parse_page(frame) == text.Request("b", b"2")


def test_action_without_load_has_an_empty_payload():
    assert text.parse_page('{"signal":"run"}') == text.Request("run", b"", None)


def test_word_of_a_later_protocol_is_ignored():
    assert text.parse_page('{"signal":"run","__new":{"x":[1]}}') == text.Request("run")


@pytest.mark.parametrize(
    ("load", "process_id"),
    [
        (b'{"__process_id":7}', 7),
        (b'{"n":1e400,"__process_id":0}', 0),
        (b'\t{"__process_id" : -2.5 }', -2.5),
        (b'{"__process_id":9007199254740992}', 2**53),
        (b'{"__process_id":null}', None),
        (b'{"__process_id":7,"__process_id":8}', 8),
        (b'{"inner":{"__process_id":7}}', None),
        (b"{}", None),
    ],
)
def test_process_id_is_read_from_the_load_alone(load, process_id):
    request = text.parse_page(b'{"signal":"run","load":' + load + b"}")
    assert request == text.Request("run", load.strip(), process_id)


@pytest.mark.parametrize(
    "process_id",
    ['"7"', "true", "[7]", "{}", "1e400", "9007199254740993", "-9007199254740994", "9" * 5000],
)
def test_process_id_that_is_no_number_or_too_large_is_refused(process_id):
    with pytest.raises(RemoteProtocolError) as caught:
        text.parse_page('{"signal":"run","load":{"__process_id":' + process_id + "}}")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "frame",
    [
        "",
        " ",
        "run",
        "1",
        "null",
        "[]",
        "{}",
        '"signal"',
        "{",
        '{"signal":',
        '{"signal":"run"',
        '{"signal":"run"}}',
        '{"signal":"run"} {"signal":"run"}',
        '{"signal":1}',
        '{"signal":null}',
        '{"signal":["run"]}',
        '{"signal":"run","load":}',
        '{"signal":"run","load":NaN}',
        '{"signal":"run","load":Infinity}',
        '{"signal":"run","load":01}',
        '{"signal":"run","load":[1,]}',
        "{'signal':'run'}",
        '{"load":1}',
        '{"__connect":7}',
        '{"__connect":null,"__received":"3"}',
        '{"__connect":null,"__received":1.5}',
        '{"__connect":null,"__received":true}',
        '{"__connect":null,"__epoch":3}',
        '{"__connect":null,"__request_args":3}',
        '{"__cancel":"7"}',
        '{"__cancel":null}',
        '{"__cancel":7,"force":1}',
        '{"__kernel":"stop"}',
        '{"__kernel":null}',
        "\ufeff" + '{"signal":"run"}',
        '{"signal":"\ud800"}',
        b'{"signal":"\xff"}',
        b"\x00\x01\x02",
        '{"signal":"' + "x" * 1025 + '"}',
        '{"__connect":null,"__request_args":"' + "x" * 65537 + '"}',
    ],
)
def test_junk_is_refused(frame):
    with pytest.raises(RemoteProtocolError, match=r"\S"):
        text.parse_page(frame)


@pytest.mark.parametrize(
    "load",
    [
        "[" * 200_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        '{"__process_id":' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
    ids=["open", "arrays", "objects", "id"],
)
def test_deep_nesting_is_refused(load):
    with pytest.raises(RemoteProtocolError):
        text.parse_page('{"signal":"run","load":' + load + "}")
    with pytest.raises(RemoteProtocolError):
        text.parse_page('{"signal":"run","later":' + load + "}")


def test_longest_names_are_taken():
    assert text.parse_page('{"signal":"' + "x" * 1024 + '"}') == text.Request("x" * 1024)
    args = "?" + "x" * 65535
    frame = '{"__connect":null,"__request_args":"' + args + '"}'
    assert text.parse_page(frame) == text.Connect(None, args)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ('{"__connect":null,"__request_args":"?a=1"}', text.Connect(None, "?a=1")),
        ('{"__connect":"s"}', text.Connect("s")),
        ('{"__connect":""}', text.Connect(None)),
        ('{"__connect":null,"__request_args":null}', text.Connect(None)),
        (
            '{"__connect":"s","__received":5,"__epoch":"e"}',
            text.Connect("s", "", 5, "e"),
        ),
        ('{"__connect":"s","__saves":9}', text.Connect("s", saves=9)),
        ('{"__connect":"s","__received":0}', text.Connect("s", "", 0, None)),
        ('{"__connect":"s","__received":-5}', text.Connect("s", "", -5, None)),
        ('{"__connect":"s","__received":null}', text.Connect("s", "", None, None)),
        ('{"__cancel":7}', text.PageCancel(7)),
        ('{"__cancel":7.5,"force":true}', text.PageCancel(7.5, True)),
        ('{"__kernel":"restart"}', text.Control("restart")),
        ('{"__kernel":"interrupt"}', text.Control("interrupt")),
        ('{"signal":"","load":1}', text.Request("", b"1")),
    ],
)
def test_each_word_of_a_page_is_understood(frame, message):
    assert text.parse_page(frame) == message


@given(st.text())
@example('{"signal":"\ud800"}')
def test_any_text_raises_only_the_protocol_error(frame):
    with suppress(RemoteProtocolError):
        text.parse_page(frame)


@given(st.binary())
def test_any_bytes_raise_only_the_protocol_error(frame):
    with suppress(RemoteProtocolError):
        text.parse_page(frame)


WORDS = st.sampled_from(
    [
        *('"signal"', '"load"', '"__connect"', '"__received"', '"__epoch"', '"__cancel"'),
        *('"force"', '"__kernel"', '"__process_id"', '"run"', "null", "true", "7", "-1.5e3"),
        *("1e400", "{", "}", "[", "]", ":", ",", " ", '"', "\\", "\\ud800", "é", "9" * 30),
    ]
)


@given(st.lists(WORDS, max_size=20).map("".join))
def test_any_row_of_the_words_raises_only_the_protocol_error(frame):
    with suppress(RemoteProtocolError):
        text.parse_page("{" + frame + "}")


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def _is_plain(value):
    """Whether msgspec takes it too: no lone surrogate in any string."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


@given(st.text(max_size=30).filter(_is_plain), JSON.filter(_is_plain), st.booleans())
def test_what_a_page_serializes_arrives_as_it_wrote_it(action, load, is_spaced):
    payload = json.dumps(load, ensure_ascii=not is_spaced, indent=1 if is_spaced else None)
    frame = '{"signal":' + json.dumps(action) + ',"load":' + payload + "}"
    request = text.parse_page(frame)
    assert (request.action, request.payload) == (action, payload.encode())


def test_half_of_a_surrogate_pair_does_not_cost_the_request():
    frame = '{"signal":"run","load":{"a":"x\\uD83D","b":"\\ud83d\\ude00","__process_id":7}}'
    request = text.parse_page(frame)
    assert (request.action, request.process_id) == ("run", 7)
    assert json.loads(request.payload) == {"a": "x?", "b": "\U0001f600", "__process_id": 7}
    with pytest.raises(RemoteProtocolError):
        text.parse_page('{"signal":"\\ud800')


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (r"\ud83d", "?"),
        (r"\udc00", "?"),
        (r"\uD83D\uD83D\uD83D\uDE00", "??\U0001f600"),
        (r"\ud83d\ude00\ude00", "\U0001f600?"),
        (r"\ud83d\\\ude00", "?\\?"),
        (r"\ud83d\ude00\\\ud800", "\U0001f600\\?"),
        (r"\ud800 \\ud800 \\\ud800", "? \\ud800 \\?"),
    ],
)
def test_halves_of_surrogate_pairs_are_told_from_pairs_and_from_text(sent, read):
    request = text.parse_page(r'{"signal":"a","load":"SENT","x":"\ud800"}'.replace("SENT", sent))
    assert json.loads(request.payload) == read


def test_half_of_a_surrogate_pair_in_a_large_frame_is_refused():
    """Mending it would hold up everybody: 10 MiB took 1.9 s."""
    frame = r'{"signal":"a\ud800","load":"%s"}'
    assert text.parse_page(frame % ("x" * 60_000)).action == "a?"
    with pytest.raises(
        RemoteProtocolError, match=r"half of a character .* replaced in up to 65536"
    ):
        text.parse_page(frame % ("x" * 70_000))


# ---------------------------------------------------------------- front to page


@given(st.text(), st.text())
def test_composed_frames_are_json_for_every_string(name, key):
    for frame in (
        text.compose(name, b""),
        text.compose(name, b"[1]"),
        text.compose_state(name, key, b"1", snapshot=True),
        text.compose_value(name, key),
        text.compose_failure(1, "error", name, key),
        text.compose_kernel(
            name,
            reason=key,
            generation=1,
            retry_in_s=None,
            sessions=1,
            stderr=[key],
            code_change=key,
            analysis=name,
        ),
        text.compose_reload([name, key], 3, missed=True),
    ):
        json.loads(frame.decode())
        assert frame.isascii()


@given(st.text(), st.text())
def test_composed_frames_say_what_they_were_given(name, key):
    assert json.loads(text.compose_state(name, key, b"1")) == {"signal": name, "load": {key: 1}}
    assert json.loads(text.compose_value(name, [key])) == {"signal": name, "load": [key]}


@given(st.text(), st.lists(st.text()))
def test_file_that_was_saved_is_for_those_who_administer(path, stderr):
    """The others see the analysis' name: they know that from the address."""
    usual = {"reason": "", "generation": 1, "retry_in_s": None, "sessions": 1}
    frame = text.compose_kernel(
        "busy", **usual, code_change=f"/{path}", analysis="pi", stderr=stderr
    )
    told = json.loads(frame)["load"]
    assert (told["code_change"], told.get("stderr", [])) == (f"/{path}", stderr)
    public = json.loads(frame.public)["load"]
    assert public == {"state": "busy", **usual, "isolation": "analysis", "code_change": "pi"}


@pytest.mark.parametrize(
    ("reason", "public"),
    [
        ("kernel 'pi' ends: code changed: a/b.py", "kernel 'pi' ends: code changed"),
        ("kernel 'pi' exited with status 3", "kernel 'pi' exited with status 3"),
        ("", ""),
    ],
)
def test_reason_for_pages_names_no_file(reason, public):
    assert text.without_file(reason) == public


# Bytes that no parser takes: where one is touched, something raises or changes them.
OPAQUE = st.binary(min_size=1)


@given(OPAQUE)
def test_payloads_of_a_kernel_stand_in_the_frame_verbatim(payload):
    assert text.compose("s", payload) == b'{"signal":"s","load":' + payload + b"}"
    assert (
        text.compose_state("data", "k", payload) == b'{"signal":"data","load":{"k":%b}}' % payload
    )
    assert text.compose_end(7, "done", payload) == (
        b'{"signal":"__process","load":{"id":7,"status":"end","outcome":"done","result":%b}}'
        % payload
    )
    failure = text.compose_failure(7, "lost", "T", "p", payload)
    assert failure.endswith(b'"traceback":' + payload + b"}}}")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_front_never_parses_a_kernels_payload(payload, monkeypatch):
    def refuse(value, *args, **options):
        raise AssertionError(f"{value!r} is parsed")

    text.compose("warm", b"")  # the names are ours to quote
    monkeypatch.setattr(text.json, "loads", refuse)
    for frame in (
        text.compose("s", payload),
        text.compose_state("data", "k", payload),
        text.compose_end(7, "done", payload),
        text.compose_failure(7, "error", "T", "p", payload),
    ):
        assert payload in frame


def test_an_empty_payload_is_no_load_and_an_empty_value_is_null():
    assert text.compose("s", b"") == b'{"signal":"s"}'
    assert text.compose_state("data", "k", b"") == b'{"signal":"data","load":{"k":null}}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("total", [None, 3, float("nan")])
def test_progress_that_json_has_no_number_for_is_null(value, total):
    load = json.loads(text.compose_progress(7, value, total))["load"]
    assert load == {"id": 7, "value": None, "total": None if total != 3 else 3}
    load = json.loads(text.compose_progress(7, 1, value))["load"]
    assert load == {"id": 7, "value": 1, "total": None}


def test_numbers_that_json_does_not_have_are_null_at_any_depth():
    assert text.dump({"a": [float("nan"), {"b": (float("inf"), "x", None, 2)}]}) == (
        b'{"a":[null,{"b":[null,"x",null,2]}]}'
    )


@given(IDS)
def test_process_id_is_read_back_from_our_own_frames(process_id):
    for frame in (
        text.compose_start(process_id),
        text.compose_second_start(process_id),
        text.compose_end(process_id, "done", b"1,2"),
        text.compose_failure(process_id, "error", "T", "p"),
        text.compose_progress(process_id, 1, None),
    ):
        assert text.read_process_id(frame) == process_id
        msgspec.json.decode(text.compose_progress(process_id, 1, None))


def test_frame_about_no_request_has_no_process_id():
    assert text.read_process_id(text.compose("status", b'{"id":7}')) is None
    assert text.read_process_id(text.compose_gap(1, 2)) is None
