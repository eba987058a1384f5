"""Actions of real kernels that are killed amid their work: which of them are run again."""

from pathlib import Path

import pytest

from tests.processes.server import Server
from tests.processes.visitor import visit

ANALYSES = Path(__file__).resolve().parent / "analyses"

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture(scope="module")
def server():
    with Server(ANALYSES) as server:
        yield server


class Tale:
    """What a page is told of its one action, in order."""

    def __init__(self, visitor):
        self._visitor = visitor
        self.words, self.begun, self.notes, self.end = [], [], [], None

    async def begin(self, action, until):
        """Asks for it, and waits until it has begun."""
        load = {"word": "as asked", "until": until, "__process_id": 1}
        await self._visitor.send(signal=action, load=load)
        await self.wait("begun")

    async def wait(self, word):
        """Reads until it is told this."""
        while not self.words or self.words[-1] != word:
            self._take(await self._visitor.read(strict=False))

    def _take(self, frame):
        signal, load = frame["signal"], frame.get("load")
        if signal == "__process":
            self.end = load
            self.words.append("again" if load.get("again") else load.get("outcome", load["status"]))
        elif signal in ("begun", "warn", "not yet"):
            self.words.append(signal)
            {"begun": self.begun, "warn": self.notes}.get(signal, []).append(load)


@pytest.mark.parametrize("action", ["coroutine", "plain", "generator"])
async def test_an_action_that_may_run_twice_survives_one_kill_of_its_kernel(action, server):
    async with visit(server.address, "fits") as visitor:
        tale = Tale(visitor)
        await tale.begin(action, until=2)
        server.kernel("fits").kill()
        await tale.wait("done")
        assert tale.words == ["start", "begun", "warn", "again", "begun", "done"]
        assert tale.end["result"] == "as asked"
        first, second = tale.begun
        assert (first["word"], second["word"]) == ("as asked", "as asked")
        assert first["pid"] != second["pid"]
        assert second["runs"] == 2  # the second run finds what the first one stored
        assert tale.notes == [f"Kernel 'fits' was ended by SIGKILL. '{action}' is run again."]
        server.wait_printed(f"kernel 'fits': '{action}' is run again")


async def test_a_second_run_that_is_lost_is_lost(server):
    async with visit(server.address, "fits") as visitor:
        tale = Tale(visitor)
        await tale.begin("coroutine", until=9)
        server.kernel("fits").kill()
        await tale.wait("again")
        await tale.wait("begun")
        server.kernel("fits").kill()
        await tale.wait("lost")
        assert tale.words == ["start", "begun", "warn", "again", "begun", "lost"]
        assert tale.end["error"]["type"] == "KernelLost"
        result, frames = await visitor.call("coroutine", {"word": "next", "until": 1}, strict=False)
        assert result == "next"
        assert [frame["load"]["runs"] for frame in frames if frame["signal"] == "begun"] == [3]


async def test_an_action_that_ran_while_another_took_all_memory_is_run_again(server):
    async with visit(server.address, "fits") as visitor, visit(server.address, "fits") as glutton:
        tale = Tale(visitor)
        await tale.begin("coroutine", until=2)
        await glutton.send(signal="eat", load={"__process_id": 2})
        await tale.wait("done")
        assert tale.words == ["start", "begun", "warn", "again", "begun", "done"]
        assert "(memory_limit)" in tale.notes[0]


@pytest.mark.parametrize("action", ["once", "stubborn"])
async def test_cancelled_actions_and_those_without_the_mark_are_lost(action, server):
    async with visit(server.address, "fits") as visitor:
        tale = Tale(visitor)
        await tale.begin(action, until=9)
        if action == "stubborn":  # it may run twice, but its end was asked for
            await visitor.send(__cancel=1)
            await tale.wait("not yet")
            await tale.wait("begun")
        server.kernel("fits").kill()
        await tale.wait("lost")
        assert "again" not in tale.words and not tale.notes
        await visitor.call("coroutine", {"word": "next", "until": 1}, strict=False)
        assert tale.words[-1] == "lost"
