"""The project that is soaked: eight analyses of one code, which differ in who shares a process."""

from pathlib import Path

CODE = '''
import asyncio
import os
import time

import databench

RUNS = os.path.join(os.path.dirname(__file__), "..", "..", "runs")


class Soaked(databench.Analysis):
    def _begin(self, token):
        """Notes that this request runs: once, whatever happens."""
        with open(RUNS, "a") as file:
            file.write(token + "\\n")

    def _say(self, token, number, size):
        return self.emit("out", {"run": token, "n": number + 1, "x": "x" * size})

    @databench.on
    async def stream(self, token, count, size):
        self._begin(token)
        for i in range(count):
            await self._say(token, i, size)
            self.data["n"] = [token, i]
            if i % 50 == 0:
                await asyncio.sleep(0.01)

    @databench.on
    def plain(self, token, count, size):
        self._begin(token)
        for i in self.progress(range(count)):
            self._say(token, i, size)
            self.set_state(n=[token, i], square=i * i)
            if i % 50 == 0:
                time.sleep(0.01)

    @databench.on
    def generator(self, token, count, size):
        self._begin(token)
        for i in range(count):
            yield self._say(token, i, size)
            self.data["n"] = [token, i]

    @databench.on
    async def count(self, token):
        self._begin(token)
        await self.class_data.change("count", lambda n: (n or 0) + 1)

    @databench.on
    async def share(self, token):
        self._begin(token)
        self.class_data["last"] = token

    @databench.on
    def tell(self):
        return {"data": dict(self.data.items()), "class_data": dict(self.class_data.items())}
'''
INDEX = """
datastore: sqlite:///state.db
settings:
  restart_limit: 100000  # who is killed at random is not given up,
  hello_exit_limit: 100000  # nor who is killed twice before it is ready
  ring_messages: 300
  ring_bytes: 131072  # full rings are no growth: they are full before anything is measured
  credit_window_bytes: 262144
analyses:
  - name: a
  - name: b
  - name: c
  - name: d
  - name: e
  - name: f
  - {name: pool, isolation: pool, processes: 2}
  - {name: alone, isolation: session, preheat: 0, max_kernels: 8}
"""
NAMES = ("a", "b", "c", "d", "e", "f", "pool", "alone")
MOST_ALONE = 8


def make(folder: Path) -> Path:
    """Writes it; returns the folder of analyses."""
    analyses = folder / "analyses"
    for name in NAMES:
        (analyses / name).mkdir(parents=True)
        (analyses / name / "analysis.py").write_text(CODE)
    (analyses / "index.yaml").write_text(INDEX)
    (folder / "runs").write_text("")
    return analyses


def read_runs(folder: Path) -> list[str]:
    """The tokens of what has run, once for each run."""
    return (folder / "runs").read_text().split()
