"""Drives a broker without a front: pages that record what they are written, the stub kernel."""

import asyncio
import contextlib
import itertools
import json
import os
import time
from pathlib import Path

from databench.broker import AnalysisSpec, Broker
from databench.broker.supervision.kernelspec import find_kernelspecs
from databench.protocol import text
from databench.protocol.placement import Sharing
from databench.settings import Settings

KERNELS = Path(__file__).resolve().parents[1] / "kernels"
LIMIT_S = 20.0
QUICK = {"backoff_first_s": 0.01, "backoff_max_s": 0.05}


async def wait_until(predicate, timeout_s=LIMIT_S, what=""):
    """Waits until the predicate returns something true, and returns that."""
    deadline_s = time.monotonic() + timeout_s
    while not (value := predicate()):
        assert time.monotonic() < deadline_s, f"not within {timeout_s} s: {what or predicate}"
        await asyncio.sleep(0.002)
    return value


def is_alive(pid):
    """Whether that process runs: a zombie does not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] not in ("Z", "X")


class Page:
    """A page's connection that records frames; it drains at once unless `is_slow`."""

    _ids = itertools.count(1)

    def __init__(
        self, broker, *, is_slow=False, visitor="", address="127.0.0.1", may_administer=True
    ):
        self.broker = broker
        self.visitor = visitor
        self.may_administer = may_administer
        self.address = address
        self.is_linked = False
        self.is_slow = is_slow
        self.raw = []
        self.writes = 0
        self.closed = None
        self._parsed = []

    # what the broker calls

    def write(self, frames):
        self.writes += 1
        self.raw += frames
        if not self.is_slow:
            asyncio.get_running_loop().call_soon(self.broker.delivered, self)

    def close(self, code, reason):
        self.closed = (code, reason)

    # what a test asks

    @property
    def frames(self):
        """Every frame, parsed; `None` stands for one that is not JSON."""
        for frame in self.raw[len(self._parsed) :]:
            try:
                self._parsed.append(json.loads(frame))
            except ValueError:
                self._parsed.append(None)
        return self._parsed

    def loads(self, signal):
        """The loads of all frames of a signal."""
        return [f.get("load") for f in self.frames if f is not None and f["signal"] == signal]

    def ends(self, id_):
        """The ends of a request: there must be one at most."""
        found = [
            load
            for load in self.loads("__process")
            if load["id"] == id_ and load["status"] == "end"
        ]
        assert len(found) <= 1, found
        return found

    @property
    def connected(self):
        return self.loads("__connect")[-1]

    @property
    def session(self):
        return self.connected["analysis_id"]

    @property
    def kernel(self):
        """The last state of the kernel that the page got."""
        return self.loads("__kernel")[-1]

    # what a test does

    def request(self, action, payload=b"", *, id_=None):
        """Sends a request with a new id; returns the id."""
        id_ = next(self._ids) if id_ is None else id_
        payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.broker.receive(self, text.Request(action, payload, id_))
        return id_

    def cancel(self, id_, *, force=False):
        self.broker.receive(self, text.PageCancel(id_, force))

    def control(self, command):
        self.broker.receive(self, text.Control(command))

    async def end(self, id_, timeout_s=LIMIT_S):
        """Waits for the end of that request."""
        found = await wait_until(lambda: self.ends(id_), timeout_s, f"end of {id_}")
        await asyncio.sleep(0)  # the turn in which the broker learns that this page took it
        return found[0]

    async def run(self, action, payload=b""):
        """Sends a request and waits for its end."""
        return await self.end(self.request(action, payload))

    async def signal(self, name, count=1):
        """Waits until a signal came that often; returns the last load."""
        found = await wait_until(
            lambda: len(self.loads(name)) >= count and self.loads(name), what=name
        )
        return found[-1]

    async def kernel_state(self, *states):
        """Waits until one of these states is the last that the page got."""
        await wait_until(
            lambda: self.loads("__kernel") and self.kernel["state"] in states, what=states
        )
        return self.kernel

    def leave(self):
        self.broker.leave(self)


class Rig:
    """A broker over stub kernels."""

    def __init__(self, *analyses, debug=True, store=None, sharing=None, limits=None, **settings):
        root = Path("/")
        specs = {
            name: AnalysisSpec(
                name, root, "none", root, "stub", sharing=sharing or Sharing(), limits=limits or {}
            )
            for name in analyses or ("a", "b")
        }
        self.settings = Settings(**{**QUICK, **settings})
        self.broker = Broker(
            specs,
            self.settings,
            debug=debug,
            kernelspecs=find_kernelspecs(KERNELS),
            store=store,
            how_to_administer="Ask Ada.",
        )

    def join(
        self,
        analysis="a",
        *,
        session=None,
        received=0,
        epoch=None,
        args="",
        is_slow=False,
        visitor="",
        is_linked=False,
        address="127.0.0.1",
        may_administer=True,
    ):
        """A page comes; `received=None` is the client of 0.7."""
        page = Page(
            self.broker,
            is_slow=is_slow,
            visitor=visitor,
            address=address,
            may_administer=may_administer,
        )
        page.is_linked, page.analysis = is_linked, analysis
        self.broker.join(analysis, page, text.Connect(session, args, received, epoch))
        return page

    def kernel(self, analysis="a"):
        """The kernel's part of `status`."""
        (found,) = [k for k in self.broker.status()["kernels"] if k["analysis"] == analysis]
        return found

    def kill(self, number, analysis="a"):
        """Sends a signal to the kernel, as any program outside may."""
        os.kill(self.kernel(analysis)["pid"], number)

    async def ready(self, analysis="a"):
        await wait_until(lambda: self.broker.kernel_state(analysis) == "idle", what="idle")


@contextlib.asynccontextmanager
async def rigged(*analyses, **settings):
    """A rig that is started, stopped, and checked for what it leaves."""
    rig = Rig(*analyses, **settings)
    await rig.broker.start()
    folder = Path(rig.broker.endpoint.removeprefix("ipc://")).parent
    try:
        yield rig
    finally:
        await rig.broker.stop()
        assert not folder.exists()
