"""A call that holds one kernel's interpreter lock holds up that kernel, and nothing else."""

import asyncio
import json
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.processes.server import Server
from tests.processes.visitor import Visitor, visit

ANALYSES = Path(__file__).resolve().parents[1] / "analyses"
ENOUGH = 50
_LIMIT_S = 120  # for the long call, beside whatever else the machine does

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(2 * _LIMIT_S)]


def is_going_on(name: str, events: list[str]) -> bool:
    """Whether one more answer of this kind tells anything: then the long call has the machine."""
    if "begun" not in events:
        return "end" not in events
    during = events[events.index("begun") :]
    return "end" not in during and during.count(name) < 4 * ENOUGH


async def echo_on(visitor: Visitor, name: str, events: list[str]) -> None:
    """One echo after the other, each noted when its answer is there."""
    number = 0
    while is_going_on(name, events):
        number += 1
        await visitor.send(signal="echo", load=number)
        while (frame := await visitor.read())["signal"] != "echo":
            pass
        assert frame["load"] == number
        events.append(name)


async def load_on(address: str, events: list[str]) -> None:
    """The index page, again and again."""
    while is_going_on("index", events):
        answer = await AsyncHTTPClient().fetch(f"http://{address}/")
        assert b"Analyses for tests" in answer.body
        events.append("index")


async def divide(visitor: Visitor, events: list[str]) -> None:
    """The long call: its beginning and its end."""
    outcome = ""
    try:
        await visitor.send(signal="divide", load={"__process_id": 1})
        while not outcome:
            frame = json.loads(await asyncio.wait_for(visitor.socket.read_message(), _LIMIT_S))
            if frame["signal"] == "dividing":
                events.append("begun")
            elif frame["signal"] == "__process":
                outcome = frame["load"].get("outcome", "")
    finally:
        events.append("end")  # the others stop then, whatever came
    assert outcome == "done"


async def test_held_lock_holds_up_neither_the_front_nor_another_kernel():
    with Server(ANALYSES) as server:
        await _divide_among_others(server.address)


async def _divide_among_others(address: str) -> None:
    events: list[str] = []
    async with (
        visit(address, "lock") as divider,
        visit(address, "lock") as neighbour,
        visit(address, "echo") as other,
    ):
        await asyncio.gather(
            divide(divider, events),
            echo_on(neighbour, "same kernel", events),
            echo_on(other, "other kernel", events),
            load_on(address, events),
        )
    during = events[events.index("begun") : events.index("end")]
    assert during.count("other kernel") >= ENOUGH
    assert during.count("index") >= ENOUGH
    # The lock was held indeed. What was on its way when the call began may still have come.
    assert during.count("same kernel") <= 2
