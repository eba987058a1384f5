"""Each row of docs/reference/values.md, over a real server: to a page, into state and back."""

import asyncio
import importlib.util
import itertools
import json

import pytest

from docs.values_table import REFUSED, SENT
from tests.processes.server import Server
from tests.processes.visitor import visit

pytestmark = [pytest.mark.slow, pytest.mark.process]
LIMIT_S = 60

CODE = """
import json

import databench
from docs.values_table import REFUSED, SENT, value_of

HALF = chr(92) + "ud800"


class Values(databench.Analysis):
    @databench.on
    async def send(self, n):
        value = value_of(SENT[n].source)
        await self.emit("value", value)
        await self.set_state({f"v{n}": value})
        return value

    @databench.on
    def refuse(self, n):
        self.emit("value", value_of(REFUSED[n].source))

    @databench.on
    def compare(self, n):
        row, kept = SENT[n], self.data[f"v{n}"]
        plain = json.loads(row.sent) if row.back is None else value_of(row.back)
        return kept == plain and type(kept) is type(plain)

    @databench.on
    def take(self, n, value):
        # What a page sends has no digits beyond a float's, but for integers, and whole letters.
        plain = json.loads(SENT[n].sent.replace(HALF, "?"))
        return value == plain and type(value) is type(plain)
"""


def rows(table):
    """The rows whose libraries are there, with their places in the table."""
    return [
        (n, row)
        for n, row in enumerate(table)
        if not row.needs or importlib.util.find_spec(row.needs)
    ]


class Page:
    """Runs actions and keeps the text of what comes."""

    def __init__(self, visitor):
        self._socket = visitor.socket
        self._numbers = itertools.count(1)

    async def run(self, action, **arguments):
        """An action with arguments that are JSON already; the frames until its end."""
        number = next(self._numbers)
        load = ",".join(f'"{name}":{text}' for name, text in arguments.items())
        message = f'{{"signal":"{action}","load":{{{load},"__process_id":{number}}}}}'
        await self._socket.write_message(message)
        frames = []
        while not frames or not frames[-1].startswith(
            f'{{"signal":"__process","load":{{"id":{number},"status":"end"'
        ):
            frames.append(await asyncio.wait_for(self._socket.read_message(), LIMIT_S))
            assert frames[-1] is not None, frames
        return frames

    async def ask(self, action, **arguments):
        """The result of an action."""
        return json.loads((await self.run(action, **arguments))[-1])["load"].get("result")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project") / "analyses" / "values"
    folder.mkdir(parents=True)
    (folder / "analysis.py").write_text(CODE)
    with Server(folder.parent, "--no-watch") as server:
        yield server


async def test_each_value_reaches_the_page_and_comes_back(server):
    async with visit(server.address, "values") as visitor:
        page = Page(visitor)
        for n, row in rows(SENT):
            frames = await page.run("send", n=n)
            assert f'{{"signal":"value","load":{row.sent}}}' in frames, row
            assert f'{{"signal":"data","load":{{"v{n}":{row.sent}}}}}' in frames, row
            assert row.sent == "null" or frames[-1].endswith(f'"result":{row.sent}}}}}'), row
            assert await page.ask("take", n=n, value=row.sent) is True, row
        await check_state(page)
        server.kernel("values").kill()  # state comes back from the server
        while await page.ask("compare", n=0) is None:
            pass  # the dead kernel may still be sent some, which are lost with it
        await check_state(page)


async def check_state(page):
    for n, row in rows(SENT):
        assert await page.ask("compare", n=n) is True, row


async def test_each_value_that_is_refused_is_named(server):
    async with visit(server.address, "values") as visitor:
        page = Page(visitor)
        for n, row in rows(REFUSED):
            error = json.loads((await page.run("refuse", n=n))[-1])["load"]["error"]
            assert error["message"].startswith("TypeError: message"), row
            assert (
                f"can't be sent as JSON. Convert it first, for example with `{row.hint}`."
                in (error["message"])
            )
