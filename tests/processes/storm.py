"""A load of short actions over many connections, while their kernel is killed again and again.

The connections may be pages of a broker in this process or websockets of a real server: a
connection has `request(action, value, id_)` and hands every frame to `Storm.on_frame`.
"""

import asyncio
import collections
import itertools
import random

ACTIONS = ("echo", "nap", "doze", "stream", "keep")
OPEN = 3  # requests that each connection keeps open
LIMIT_S = 60


class Line:
    """What one connection sent, and what came of it."""

    def __init__(self, number, connection):
        self.number = number
        self.connection = connection
        self.sent = {}  # process id to action
        self.open = set()
        self.starts = collections.Counter()
        self.ends = collections.defaultdict(list)
        self.echoes = set()
        self.generation = 0  # of the kernel, as this connection got it

    def check(self):
        """Every request had one start and one end, and finished ones have sent what they had to."""
        assert not self.open
        assert set(self.ends) == set(self.sent)
        assert set(self.starts) == set(self.sent)
        for id_, ends in self.ends.items():
            assert len(ends) == 1, (id_, ends)
            assert self.starts[id_] == 1
            assert ends[0]["outcome"] in ("done", "lost"), ends
            if ends[0]["outcome"] == "lost":
                assert "was ended by SIGKILL" in ends[0]["error"]["message"]


class Storm:
    """The load, and the kills.

    Args:
        seed: Of the moments and the actions.
        actions: What the kernel knows.
    """

    def __init__(self, seed, actions=ACTIONS):
        self.lines = []
        self._random = random.Random(seed)
        self._actions = actions
        self._ids = itertools.count(1)
        self._is_on = False
        self._heard = asyncio.Event()
        self._problem = None  # the first
        self._generation = 0  # of the kernel, as the pages got it
        self._done_in = 0  # the generation in which an action was done
        self.kills = 0

    def add(self, connection):
        """One more connection."""
        self.lines.append(Line(len(self.lines), connection))
        return self.lines[-1]

    @property
    def outcomes(self):
        """How many requests ended how."""
        return collections.Counter(
            end["outcome"] for line in self.lines for ends in line.ends.values() for end in ends
        )

    # -- the load ----------------------------------------------------------------------------------

    def on_frame(self, line, frame):
        """A frame came on that connection."""
        try:
            self._take(line, frame)
        except Exception as error:
            self._problem = self._problem or error
        self._heard.set()

    def _take(self, line, frame):
        signal, load = frame["signal"], frame.get("load")
        if signal == "echo":
            line.echoes.add(load)
        elif signal == "__process":
            self._on_process(line, load)
        elif signal == "__kernel":
            line.generation = load["generation"]
            self._generation = max(self._generation, line.generation)
        elif signal == "error":
            assert "was ended by SIGKILL" in load, load

    def _on_process(self, line, load):
        id_ = load["id"]
        if load["status"] == "start":
            line.starts[id_] += 1
            return
        line.ends[id_].append(load)
        line.open.discard(id_)
        if load["outcome"] == "done":
            assert id_ in line.echoes, f"the end of {id_} overtook its emit"
            # Connections are read one after the other: another may be ahead of this one.
            self._done_in = max(self._done_in, line.generation)
        if self._is_on:
            self._request(line)

    def _request(self, line):
        id_ = next(self._ids)
        action = self._random.choice(self._actions)
        line.sent[id_] = action
        line.open.add(id_)
        line.connection.request(action, id_, id_)

    def begin(self):
        """Every connection keeps some requests open from here on."""
        self._is_on = True
        for line in self.lines:
            for _ in range(OPEN):
                self._request(line)

    async def calm(self):
        """No more requests; waits for the ends of all that are open."""
        self._is_on = False
        await self.wait(lambda: not any(line.open for line in self.lines))

    # -- the kills ---------------------------------------------------------------------------------

    async def kill(self, kill, *, at_work_s=0.1):
        """Kills the kernel at some moment within that time after it did its first work."""
        await self.wait(lambda: self._done_in == self._generation > 0)
        generation = self._generation
        await asyncio.sleep(self._random.uniform(0, at_work_s))
        kill()
        self.kills += 1
        await self.wait(lambda: self._generation > generation)

    async def kill_starting(self, kill):
        """Kills it twice in a row: the second time while it starts, or restores its sessions."""
        await self.kill(kill)
        generation = self._generation
        await asyncio.sleep(self._random.uniform(0, 0.2))
        kill()
        self.kills += 1
        await self.wait(lambda: self._generation > generation)

    async def wait(self, predicate):
        """Waits until what the connections heard makes that true."""
        async with asyncio.timeout(LIMIT_S):
            while not predicate():
                if self._problem:
                    raise self._problem
                self._heard.clear()
                await self._heard.wait()
