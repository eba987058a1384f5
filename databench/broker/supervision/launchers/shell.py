"""Shell commands, one after another: what they start ends with them, or with this process.

Each leads its own process group, as a kernel does, with its output captured line by line. The
guard ends what is left if this process is killed.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import Callable
from pathlib import Path

from ....errors import KernelError
from ....settings import Settings
from ..guardian import Guardian
from ..output import LineReader
from .local import Exit, LocalProcess


class Shell:
    """Runs commands while it is entered (`async with`).

    Args:
        settings: The limits `build_limit_s` and `output_…`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._mark = f"DATABENCH_BUILD={secrets.token_urlsafe(12)}"
        self._guardian: Guardian | None = None

    async def __aenter__(self) -> Shell:
        self._guardian = Guardian(self._mark)
        self._guardian.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._guardian is not None
        self._guardian.clean()
        self._guardian.stop()

    async def run(self, command: str, folder: Path, on_line: Callable[[str], None]) -> str:
        """Run one command to its end.

        Args:
            command: For `/bin/sh`; it reads nothing.
            folder: Its working directory.
            on_line: Called with each line of its output.

        Returns:
            How it failed, or "" if it did not.
        """
        guardian = self._guardian
        assert guardian is not None, "not entered"
        ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        name, _, value = self._mark.partition("=")
        argv = ["/bin/sh", "-c", f"exec </dev/null\n{command}"]
        try:
            process = LocalProcess(argv, {**os.environ, name: value}, folder, ended.set_result)
        except (KernelError, OSError) as error:
            return f"cannot be started: {error}"
        guardian.add(process.pid, secrets.token_bytes(8))
        fds = (process.stdout_fd, process.stderr_fd)
        readers = [LineReader(fd, on_line, self._settings) for fd in fds]
        try:
            return await self._wait(process, ended)
        finally:
            process.signal_group(signal.SIGKILL)
            await asyncio.shield(ended)
            guardian.discard(process.pid)
            for reader in readers:
                reader.finish()

    async def _wait(self, process: LocalProcess, ended: asyncio.Future[Exit]) -> str:
        limit_s = self._settings.build_limit_s
        try:
            how = await asyncio.wait_for(asyncio.shield(ended), limit_s)
        except asyncio.TimeoutError:
            return f"took more than {limit_s:g} s, limit (build_limit_s); ended"
        return "" if how.status == 0 else str(how)
