"""Programs of a few lines in separate processes, ended at the end of a test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT_S = 20


def free_port() -> int:
    """A port on which no program listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Program:
    """Runs; a context manager."""

    def __init__(self, text: str, *words: object, **environ: str) -> None:
        base = {k: v for k, v in os.environ.items() if k not in ("PORT", "DEBUG", "HOST")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(text), *map(str, words)],
            cwd=REPOSITORY,
            env=base | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, number: int | None = None) -> tuple[int, str, str]:
        """Its status, what it printed since, and its stderr; after a signal, if one is given."""
        if number is not None:
            self.signal(number)
        out, err = self.process.communicate(timeout=LIMIT_S)
        print(err)
        return self.process.returncode, out, err


def fetch(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=LIMIT_S) as answer:
        text: str = answer.read().decode()
        return text
