"""A real `databench` in a separate process, for tests that talk to it or open its pages."""

from __future__ import annotations

import functools
import http.client
import http.cookies
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT_S = 30
_ADDRESS = re.compile(r"https?://(127\.0\.0\.1:\d+)(/\S*)")


class Server:
    """Started on entering, ended by its process id on leaving; what it printed goes to the report.

    Args:
        analyses: The folder of analyses; None: the packaged ones.
        port: 0 takes a free one.
        script: A file to start in the place of `databench`.
        prefix: A command that starts it.
        options: More options of the command line.
    """

    def __init__(
        self,
        analyses: Path | None = None,
        *options: str,
        port: int = 0,
        script: Path | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        # Elsewhere than the repository, whose `analyses` would be found otherwise.
        self._folder = Path(tempfile.mkdtemp(prefix="s-"))
        command = ["-m", "databench"] if script is None else [str(script)]
        self._argv = [*prefix, sys.executable, *command, "--port", str(port)]
        if analyses is not None:
            self._argv += ["--analyses", str(analyses)]
        self._argv += options  # last: a `--` among them begins the analyses' own arguments
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._lines: list[str] = []
        self._heard = threading.Condition()
        self._is_open = False
        self.address = ""
        self._page = ""

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._process is not None:
            self.stop()
        shutil.rmtree(self._folder)

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def token(self) -> str:
        """What the terminal shows in the address; empty in production."""
        return self._page.partition("?token=")[2]

    @functools.cached_property
    def cookie(self) -> tuple[str, str] | None:
        """What a browser gets for the address that the terminal shows; `None` in production."""
        if not self.token:
            return None
        connection = http.client.HTTPConnection(self.address, timeout=LIMIT_S)
        try:
            connection.request("GET", self._page)
            answer = connection.getresponse()
            given = http.cookies.SimpleCookie(answer.headers["Set-Cookie"])
        finally:
            connection.close()
        ((name, morsel),) = given.items()
        return name, morsel.value

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def pid(self) -> int:
        """Of the front."""
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def printed(self) -> str:
        """All that the terminal has shown so far."""
        with self._heard:
            return "".join(self._lines)

    def start(self) -> None:
        """Starts it, and waits until it prints its address."""
        environ = {k: v for k, v in os.environ.items() if k not in ("PORT", "HOST", "DEBUG")}
        environ |= {"PYTHONPATH": str(REPOSITORY), "TMPDIR": str(self._folder)}
        self._process = subprocess.Popen(
            self._argv,
            cwd=self._folder,
            env=environ | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._is_open = True
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.address, self._page = self.wait_printed(_ADDRESS).groups()
        except BaseException:
            process, self._process = self._process, None
            process.kill()
            process.wait()
            self._reader.join(LIMIT_S)
            process.stdout.close()  # type: ignore[union-attr]
            raise

    def restart(self) -> None:
        """Starts it again, on the port that it had."""
        self._argv[self._argv.index("--port") + 1] = str(self.port)
        with self._heard:
            self._lines.clear()
        self.start()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it by a signal, and holds it to ending well and leaving nothing."""
        self.signal(number)
        self.wait_ended()

    def signal(self, number: int) -> None:
        """Sends it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait_ended(self) -> None:
        """Waits until it has ended, and holds it to ending well and leaving nothing."""
        process, self._process = self._process, None
        assert process is not None and self._reader is not None and process.stdout is not None
        try:
            code = process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            self._reader.join(LIMIT_S)
            process.stdout.close()
            print(self.printed)
        assert code == 0, f"the server exited with {code}"
        assert list(self._folder.iterdir()) == []

    def kill(self) -> None:
        """Ends it as the system would: it can do nothing about it."""
        process, self._process = self._process, None
        assert process is not None and self._reader is not None and process.stdout is not None
        process.kill()
        process.wait(LIMIT_S)
        self._reader.join(LIMIT_S)  # its guard has ended too
        process.stdout.close()

    def wait_printed(self, pattern: str | re.Pattern[str]) -> re.Match[str]:
        """What matches in the terminal, once it is there."""
        with self._heard:
            self._heard.wait_for(
                lambda: not self._is_open or re.search(pattern, "".join(self._lines)), LIMIT_S
            )
            printed = "".join(self._lines)
        found = re.search(pattern, printed)
        assert found is not None, f"the terminal does not show {pattern!r}:\n{printed}"
        return found

    def kernel(self, name: str) -> psutil.Process:
        """The process of an analysis."""
        assert self._process is not None
        for process in psutil.Process(self._process.pid).children():
            try:
                if process.environ().get("DATABENCH_ANALYSIS") == name:
                    return process
            except psutil.Error:  # it is just ending
                continue
        raise AssertionError(f"there is no kernel of {name!r}")

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            with self._heard:
                self._lines.append(line)
                self._heard.notify_all()
        with self._heard:
            self._is_open = False
            self._heard.notify_all()
