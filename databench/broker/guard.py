"""The guard: a process that cleans up when the front is gone, however it went.

Run as a script (`python -I -S guard.py`), with the standard library's smallest parts only. It reads
lines from its standard input: `+PGID` and `-PGID` for a kernel's process group, `=DIRECTORY` for
the socket's directory, `#MARK` for a word in the environment of every kernel. At end of file the
front is dead: the guard kills each group that is still listed, every process that carries the
mark (a kernel's child that made a session of its own), removes the directory and ends.

It has a session of its own and ignores the terminal's signals, so that Ctrl-C reaches the front
alone.
"""

import os
import signal
import sys
import time

SWEEPS = 20
SWEEP_WAIT_S = 0.05


def find_marked(mark: bytes) -> list[int]:
    """Process ids whose environment carries the mark; empty where there is no /proc."""
    found: list[int] = []
    try:
        names = os.listdir("/proc")
    except OSError:
        return found
    for name in names:
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.append(int(name))
        except OSError:
            continue  # ended meanwhile, or not ours to read
    return found


def kill_group(pgid: int) -> None:
    """SIGKILL to a whole process group; one that is gone is no error."""
    try:
        os.killpg(pgid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def kill_marked(mark: bytes) -> None:
    """SIGKILL to every process with the mark, until there is none left or it stays hopeless."""
    for _ in range(SWEEPS):
        pids = find_marked(mark)
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        time.sleep(SWEEP_WAIT_S)


def remove_directory(path: str) -> None:
    """Remove a flat directory; what is gone already is no error."""
    try:
        for name in os.listdir(path):
            os.unlink(os.path.join(path, name))
        os.rmdir(path)
    except OSError:
        pass


def main() -> None:
    """Listen until the front is gone, then clean up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    directories: set[str] = set()
    marks: set[bytes] = set()
    for line in sys.stdin.buffer:
        word = line[1:].rstrip(b"\n")
        if line[:1] == b"+":
            groups.add(int(word))
        elif line[:1] == b"-":
            groups.discard(int(word))
        elif line[:1] == b"=":
            directories.add(os.fsdecode(word))
        elif line[:1] == b"#":
            marks.add(word)
    for pgid in groups:
        kill_group(pgid)
    for mark in marks:
        kill_marked(mark)
    for path in directories:
        remove_directory(path)


if __name__ == "__main__":
    main()
