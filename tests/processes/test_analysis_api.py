"""The Python API through a real server, a real kernel and a real websocket.

The analyses are those of `databench.tests.analyses`, which people import too.
"""

import json
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.processes.server import Server
from tests.processes.visitor import visit

ANALYSES = Path(__file__).resolve().parents[2] / "databench" / "tests" / "analyses"
CLI_ARGS = ["--dataset", "small.csv"]

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture(scope="module")
def server():
    with Server(ANALYSES, "--session-grace-s", "0.5", "--", *CLI_ARGS) as server:
        yield server


async def test_each_of_the_analyses_is_in_the_gallery_and_has_a_page(server):
    names = sorted(path.parent.name for path in ANALYSES.glob("*/analysis.py"))
    gallery = (await AsyncHTTPClient().fetch(f"{server.url}/")).body.decode()
    assert [name for name in names if f'href="/{name}/"' not in gallery] == []
    for name in names:
        page = (await AsyncHTTPClient().fetch(f"{server.url}/{name}/")).body.decode()
        assert "databench.js" in page


# -- arguments -------------------------------------------------------------------------------------

MEGABYTE = "π" * 2**19


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ({"signal": "test_action"}, {"signal": "test_action_ack"}),
        ({"signal": "test_fn", "load": ""}, {"signal": "test_fn", "load": ["", 100]}),
        ({"signal": "test_fn", "load": 0}, {"signal": "test_fn", "load": [0, 100]}),
        ({"signal": "test_fn", "load": None}, {"signal": "test_fn", "load": [None, 100]}),
        ({"signal": "test_fn", "load": 1}, {"signal": "test_fn", "load": [1, 100]}),
        ({"signal": "test_fn", "load": False}, {"signal": "test_fn", "load": [False, 100]}),
        ({"signal": "test_fn", "load": [1, 2]}, {"signal": "test_fn", "load": [1, 2]}),
        ({"signal": "test_fn", "load": [[1]]}, {"signal": "test_fn", "load": [[1], 100]}),
        (
            {"signal": "test_fn", "load": {"first_param": {"a": 1}, "second_param": 2}},
            {"signal": "test_fn", "load": [{"a": 1}, 2]},
        ),
        (
            {"signal": "test_fn", "load": "ünïcödé 🎲"},
            {"signal": "test_fn", "load": ["ünïcödé 🎲", 100]},
        ),
        ({"signal": "test_fn", "load": MEGABYTE}, {"signal": "test_fn", "load": [MEGABYTE, 100]}),
        ({"signal": "echo", "load": []}, {"signal": "echo", "load": {"args": [], "kwargs": {}}}),
        ({"signal": "echo", "load": {}}, {"signal": "echo", "load": {"args": [], "kwargs": {}}}),
        ({"signal": "echo"}, {"signal": "echo", "load": {"args": [], "kwargs": {}}}),
        (
            {"signal": "echo", "load": {"n": 10**30}},
            {"signal": "echo", "load": {"args": [], "kwargs": {"n": 10**30}}},
        ),
    ],
    ids=lambda frame: json.dumps(frame)[:60],
)
async def test_parameters_arrive_as_they_were_meant(server, frame, answer):
    async with visit(server.address, "parameters") as visitor:
        await visitor.send(**frame)
        assert await visitor.read() == answer


async def test_a_process_starts_and_ends_around_what_it_says(server):
    async with visit(server.address, "parameters") as visitor:
        await visitor.send(signal="test_fn", load={"first_param": 1, "__process_id": 123})
        start, echo, end = [await visitor.read() for _ in range(3)]
    assert start == {"signal": "__process", "load": {"id": 123, "status": "start"}}
    assert echo == {"signal": "test_fn", "load": [1, 100]}
    assert end["load"] == {"id": 123, "status": "end", "outcome": "done"}


@pytest.mark.parametrize("action", ["test_data", "test_set_data", "test_state"])
@pytest.mark.parametrize("load", [["light", "red"], {"key": "light", "value": "red"}])
async def test_data_is_set_and_only_a_change_is_told(server, action, load):
    async with visit(server.address, "parameters") as visitor:
        await visitor.send(signal=action, load=load)
        assert await visitor.read() == {"signal": "data", "load": {"light": "red"}}
        await visitor.send(signal=action, load=load)
        await visitor.send(signal="test_action")
        assert await visitor.read() == {"signal": "test_action_ack"}


@pytest.mark.parametrize(
    ("query", "request_args"),
    [
        ("", {}),
        ("?a=1", {"a": ["1"]}),
        ("?a=1&a=2&b=%C3%BC+x&empty=", {"a": ["1", "2"], "b": ["ü x"]}),
    ],
)
async def test_request_arguments_are_lists_by_name(server, query, request_args):
    async with visit(server.address, "requestargs", args=query) as visitor:
        assert await visitor.read_until("request_args") == request_args


async def test_command_line_arguments_arrive(server):
    async with visit(server.address, "cliargs") as visitor:
        await visitor.wait_state(lambda page: page.data)
        assert visitor.data == {"cli_args": CLI_ARGS}


# -- the life of a session -------------------------------------------------------------------------


async def test_a_session_begins_in_order_and_ends_with_disconnected(server):
    async with visit(server.address, "life", args="?a=1") as visitor:
        await visitor.wait_state(lambda page: page.data)
        id_ = visitor.joined["analysis_id"]
    assert visitor.data["steps"] == [
        ["init", None, None, [], {}],
        ["connect"],
        ["args", CLI_ARGS, {"a": ["1"]}],
        ["connected", id_],
    ]
    server.wait_printed(f"disconnected {id_}")


async def test_a_page_comes_back_to_its_session_by_its_id(server):
    async with visit(server.address, "connection_interruption") as first:
        await first.send(signal="state", load="before")
        await first.wait_state(lambda page: page.data.get("count") == 1)
        id_ = first.joined["analysis_id"]
    async with visit(server.address, "connection_interruption", id_) as second:
        assert second.joined["analysis_id"] == id_
        await second.wait_state(lambda page: page.data.get("state") == "before")
        await second.send(signal="state", load="after")
        await second.wait_state(lambda page: page.data.get("count") == 2)
    assert second.data == {"count": 2, "state": "after"}


# -- state -----------------------------------------------------------------------------------------


async def test_a_plain_setter_is_seen_by_a_generator_that_follows_at_once(server):
    async with visit(server.address, "state") as visitor:
        for number in range(1, 1001):
            await visitor.send(signal="number", load=number)
            await visitor.send(signal="read")
            assert await visitor.read_until("read") == number


async def test_what_is_stored_is_a_copy(server):
    async with visit(server.address, "state") as visitor:
        await visitor.wait_state(lambda page: "word" in page.data)
        result, frames = await visitor.call("change_in_place")
    assert (result, frames) == ([1], [])


async def test_state_is_set_by_functions_of_the_current_state(server):
    async with visit(server.address, "state") as visitor:
        await visitor.wait_state(lambda page: "word" in page.data)
        result, _ = await visitor.call("by_function")
        await visitor.wait_state(lambda page: page.class_data.get("shared") == result[2])
        assert result[:2] == ["a", 2]
        assert visitor.data == {"number": 2, "list": [1], "word": "a"}


async def test_class_state_is_shared_by_two_connections(server):
    async with visit(server.address, "state") as one, visit(server.address, "state") as other:
        await one.send(signal="share", load="both")
        for visitor in (one, other):
            await visitor.wait_state(lambda page: page.class_data.get("shared") == "both")
        assert (await other.call("shared"))[0] == "both"
        assert one.joined["analysis_id"] != other.joined["analysis_id"]


async def test_results_of_subscribers_can_be_waited_for(server):
    async with visit(server.address, "state") as visitor:
        result, _ = await visitor.call("listen")
    assert result == [["word", "heard"], {"word": "heard"}]


async def test_a_kernel_that_is_lost_gives_back_what_was_stored_and_pages_what_was_shown(server):
    async with visit(server.address, "state") as visitor:
        id_ = visitor.joined["analysis_id"]
        await visitor.send(signal="hooked", load=1)
        await visitor.wait_state(lambda page: page.data.get("hooked") == 2)
        await visitor.send(signal="forget", load=["word"])
        await visitor.wait_state(lambda page: page.data.get("word", "") is None)
        assert (await visitor.call("look"))[0]["restored"] is None
        await visitor.send(signal="crash", load={"__process_id": 1})
        while (await visitor.read_until("__process", strict=False))["status"] != "end":
            pass
        result, frames = await visitor.call("look", strict=False)
        assert result["data"] == {"number": 0, "list": [1], "word": "", "hooked": 1}
        assert "kernel" in result["restored"]
        assert [f for f in frames if "hooked" in str(f)] == []
        async with visit(server.address, "state", id_) as again:
            await again.wait_state(lambda page: page.data.get("hooked") == 2)
    server.wait_printed("SIGABRT|signal 6|Aborted")


async def test_another_backend_keeps_the_values_and_pages_see_its_changes(server):
    async with visit(server.address, "backend") as visitor:
        assert (await visitor.call("look"))[0] == {}
        _, frames = await visitor.call("store", {"key": "light", "value": "red"})
        assert frames == [{"signal": "data", "load": {"light": "red"}}]
        assert (await visitor.call("look"))[0] == {"light": "red"}


# -- handlers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["plain", "coroutine", "generator", "decorated"])
async def test_handlers_of_every_kind_run(server, action):
    async with visit(server.address, "handlers") as visitor:
        result, frames = await visitor.call(action, {"n": 1})
    every = [f["load"] for f in frames if f["signal"] == "every"]
    assert (result, every) == (2, [{"args": [], "kwargs": {"n": 1}}])


@pytest.mark.parametrize(
    ("action", "load", "expected"),
    [
        ("other name", {}, "Its docstring."),
        ("yields", {}, [1, [2, 3, None], {"a": 4, "b": 5}, "slept"]),
        ("tools", {}, [[2, 4], "item", "timeout"]),
        ("children", {"n": 2}, [-15, -15]),
        ("calls", {"n": 1}, 6),
        ("where", {}, "MainThread"),
        ("redirect", {}, [["word", 1], ["nothing", None], ["every", {"args": [], "kwargs": {}}]]),
    ],
)
async def test_what_handlers_yield_and_call(server, action, load, expected):
    async with visit(server.address, "handlers") as visitor:
        assert (await visitor.call(action, load))[0] == expected


async def test_an_action_without_a_handler_is_the_catch_alls(server):
    async with visit(server.address, "handlers") as visitor:
        await visitor.send(signal="anything", load=[1, 2])
        assert await visitor.read_until("every") == {"args": [1, 2], "kwargs": {}}


async def test_timers_run_on_the_kernels_loop(server):
    async with visit(server.address, "handlers") as visitor:
        await visitor.wait_state(lambda page: "ticks" in page.data)
        assert visitor.data["ticks"] == ["databench-loop"]
        await visitor.send(signal="start_timer")
        assert await visitor.read_until("second") == "databench-loop"


# -- words -----------------------------------------------------------------------------------------


async def test_words_of_an_analysis_are_shown_and_logged(server):
    async with visit(server.address, "words") as visitor:
        _, frames = await visitor.call("say", strict=False)
    assert frames == [
        {"signal": "log", "load": {"action": "done"}},
        {"signal": "warn", "load": "careful"},
        {"signal": "error", "load": "wrong"},
    ]
    for line in ("INFO {'action': 'done'}|INFO .*action.*done", "WARNING careful", "ERROR wrong"):
        server.wait_printed(line)


async def test_words_of_a_page_are_logged(server):
    async with visit(server.address, "words") as visitor:
        await visitor.call("log", {"clicks": 3})
        await visitor.send(signal="warn", load="page careful")
        await visitor.send(signal="error", load=["page", "wrong"])
        await visitor.call("nothing")
    for line in ("INFO .*clicks=3", "WARNING .*page careful", "ERROR .*page wrong"):
        server.wait_printed(line)


async def test_no_message_is_not_none(server):
    async with visit(server.address, "words") as visitor:
        _, frames = await visitor.call("nothing")
    assert frames == [{"signal": "null", "load": None}, {"signal": "none"}]


@pytest.mark.parametrize(("action", "expected"), [("steps", 45), ("steps_async", [*range(10)])])
async def test_progress_says_how_far_it_is(server, action, expected):
    async with visit(server.address, "words") as visitor:
        result, frames = await visitor.call(action, {"n": 10})
    said = [f["load"] for f in frames if f["signal"] == "__progress"]
    assert result == expected
    assert (said[0]["value"], said[-1]["value"]) == (0, 10)
    assert {load["total"] for load in said} == {10}


async def test_a_toast_is_a_signal(server):
    async with visit(server.address, "words") as visitor:
        _, frames = await visitor.call("notice", {"text": "saved"})
    assert frames == [{"signal": "toast", "load": "saved"}]
