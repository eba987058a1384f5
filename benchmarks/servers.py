"""Starts and ends what is measured, and looks at its processes through /proc.

Every server is started in its own session and asked to die with the benchmark
(PR_SET_PDEATHSIG), so nothing is left behind when the benchmark itself is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
ANALYSES = ROOT / "benchmarks" / "analyses"
START_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0
KERNEL_MARK = "databench/kernel/__main__.py"  # as kernels/py/kernel.yaml starts it

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class ServerError(Exception):
    """A server did not start, or left a process behind."""


def relay_argv(port: int) -> list[str]:
    """How the relay is started."""
    return [sys.executable, "-m", "benchmarks.relay", str(port)]


def databench_argv(port: int, analyses: pathlib.Path = ANALYSES) -> list[str]:
    """How Databench is started."""
    return [
        sys.executable,
        "-m",
        "databench",
        "--port",
        str(port),
        "--analyses",
        str(analyses),
        "--log",
        "WARNING",
    ]


ARGV = {"relay": relay_argv, "databench": databench_argv}


class Server:
    """One running server.

    Args:
        kind: ``relay`` or ``databench``.
        argv: how it is started, where that is not what its kind says; takes the port.

    Attributes:
        start_s: from the start of the process to the last byte of its first page.
    """

    def __init__(self, kind: str, argv: Callable[[int], list[str]] | None = None) -> None:
        self.kind = kind
        self.port = free_port()
        started_s = time.monotonic()
        # stdin is a pipe that stays open: the relay ends when it closes.
        self.process = subprocess.Popen(
            (argv or ARGV[kind])(self.port),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        try:
            self._wait_for_page(started_s + START_LIMIT_S)
        except BaseException:
            self.stop()
            raise
        self.start_s = time.monotonic() - started_s

    def _wait_for_page(self, until_s: float) -> None:
        while time.monotonic() < until_s:
            if self.process.poll() is not None:
                raise ServerError(
                    f"{self.kind} exited with status {self.process.returncode} at its start"
                )
            if _has_page(self.port):
                return
            time.sleep(0.002)
        raise ServerError(f"{self.kind} showed no page within {START_LIMIT_S:g} s")

    def tree(self) -> list[int]:
        """The server's process id and those of all its descendants."""
        return process_tree(self.process.pid)

    def kernels(self) -> list[int]:
        """The kernels among the descendants."""
        return [pid for pid in self.tree() if KERNEL_MARK in command_line(pid)]

    def pss_kib(self) -> int:
        """Proportional memory of the server and all its descendants, in KiB."""
        return sum(_pss_kib(pid) for pid in self.tree())

    def stop(self) -> None:
        """SIGTERM, then SIGKILL; and whatever it started is ended too.

        Raises:
            ServerError: a descendant outlived the server and had to be killed here.
        """
        tree = self.tree()
        self.process.terminate()
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        finally:
            if self.process.stdin is not None:
                self.process.stdin.close()
        left = _kill_what_is_left(tree[1:])
        if left and self.kind != "relay":
            raise ServerError(f"{self.kind} left {len(left)} processes behind: {left}")


@contextlib.contextmanager
def running(*kinds: str) -> Iterator[dict[str, Server]]:
    """Servers of these kinds, by kind; all are stopped at the end."""
    with contextlib.ExitStack() as stack:
        servers = {}
        for kind in kinds:
            servers[kind] = Server(kind)
            stack.callback(servers[kind].stop)
        yield servers


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _has_page(port: int) -> bool:
    """Whether ``/`` is served, read to its last byte."""
    try:
        with socket.create_connection(("127.0.0.1", port), START_LIMIT_S) as sock:
            sock.sendall(
                f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
            )
            answer = b"".join(iter(lambda: sock.recv(1 << 16), b""))
    except ConnectionRefusedError:
        return False
    if not answer.startswith(b"HTTP/1.1 200"):
        raise ServerError(f"the first page answered {answer[:60]!r}")
    return True


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def process_tree(root: int) -> list[int]:
    """`root` and its descendants that are running, parents first."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            # The name in brackets may hold blanks; the state and the parent follow it.
            state, _, rest = _read(f"/proc/{entry}/stat").rpartition(")")[2].strip().partition(" ")
            if state and state not in "ZX":
                children.setdefault(int(rest.split(" ", 1)[0]), []).append(int(entry))
    tree = [root]
    for pid in tree:
        tree.extend(children.get(pid, []))
    return tree


def command_line(pid: int) -> str:
    """The process' arguments, blanks between; empty when it is gone."""
    return _read(f"/proc/{pid}/cmdline").replace("\0", " ")


def processor_s(pids: list[int]) -> float:
    """Processor time that these processes' threads have used."""
    total_ns = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                spent = _read(f"/proc/{pid}/task/{task}/schedstat").split()
                total_ns += int(spent[0]) if spent else 0
    return total_ns / 1e9


def _pss_kib(pid: int) -> int:
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:  # the process ended meanwhile
        return ""


def _kill_what_is_left(pids: list[int]) -> list[int]:
    """Kill those of `pids` that are still there a second later; return them."""
    until_s = time.monotonic() + 1
    left = pids
    while left and time.monotonic() < until_s:
        left = [pid for pid in left if command_line(pid)]
        time.sleep(0.01)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left
