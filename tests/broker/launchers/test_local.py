"""One kernel process: spawned, signalled, seen to end, reaped with its group."""

import os
import signal
import struct
import sys
import threading
from pathlib import Path

import pytest

from databench.broker.launchers.local import Exit, LocalProcess
from databench.errors import KernelError
from tests.broker.harness import is_alive, wait_until

pytestmark = [pytest.mark.process]

INTERRUPTED = """
import os, signal, sys
fd = int(os.environ["DATABENCH_INTERRUPT_FD"])
seen = []
def on_signal(number, frame):
    seen.append(os.read(fd, 64).hex())
signal.signal(signal.SIGINT, on_signal)
print("ready", flush=True)
while not seen:
    signal.pause()
print(seen[0], flush=True)
"""


class Started:
    """A process, its exits, and what it wrote to stdout."""

    def __init__(self, *command):
        self.exits = []
        self.process = LocalProcess(command, dict(os.environ), Path("/"), self.exits.append)
        self.out = b""
        os.set_blocking(self.process.stdout_fd, False)

    def read(self):
        try:
            self.out += os.read(self.process.stdout_fd, 4096)
        except BlockingIOError:
            pass
        return self.out

    async def end(self):
        await wait_until(lambda: self.exits)
        os.close(self.process.stdout_fd)
        os.close(self.process.stderr_fd)
        return self.exits


@pytest.fixture(params=["pidfd", "thread"])
def watched(request, monkeypatch):
    """Both ways to see an exit."""
    if request.param == "thread":
        monkeypatch.delattr(os, "pidfd_open", raising=False)


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("exit 0", Exit(status=0)),
        ("exit 7", Exit(status=7)),
        ("kill -SEGV $$", Exit(signal=signal.SIGSEGV)),
    ],
)
async def test_an_exit_is_told_once_with_status_or_signal(script, how):
    started = Started("sh", "-c", script)
    assert await started.end() == [how]
    started.process.signal(signal.SIGKILL)  # nobody is hit any more
    started.process.signal_group(signal.SIGKILL)
    started.process.interrupt(b"")
    assert started.exits == [how]


@pytest.mark.usefixtures("watched")
async def test_a_child_that_stayed_is_killed_with_its_leader():
    started = Started("sh", "-c", "sleep 1000 & echo $!; read line; exit 0")
    child = int(await wait_until(lambda: b"\n" in started.read() and started.out))
    assert is_alive(child)
    started.process.signal(signal.SIGKILL)
    assert await started.end() == [Exit(signal=9)]
    await wait_until(lambda: not is_alive(child), 2)


async def test_signals_reach_the_leader_or_the_whole_group():
    script = "trap 'echo leader' TERM; echo up; while :; do sleep 1000 & wait; done"
    started = Started("sh", "-c", script)
    await wait_until(lambda: b"up" in started.read())
    started.process.signal(signal.SIGTERM)
    await wait_until(lambda: b"leader" in started.read())
    started.process.signal_group(signal.SIGKILL)
    assert await started.end() == [Exit(signal=9)]


async def test_the_process_leads_a_session_of_its_own():
    started = Started("sleep", "1000")
    pid = started.process.pid
    await wait_until(lambda: os.getpgid(pid) == pid)
    assert os.getsid(pid) == pid
    started.process.signal_group(signal.SIGKILL)
    await started.end()


async def test_an_interrupt_brings_its_record_before_sigint():
    record = struct.pack("<QQ", 17, 1)
    started = Started(sys.executable, "-S", "-c", INTERRUPTED)
    await wait_until(lambda: b"ready" in started.read())
    started.process.interrupt(record)
    await wait_until(lambda: record.hex().encode() in started.read())
    assert await started.end() == [Exit(status=0)]


async def test_interrupts_that_nobody_reads_do_not_block():
    started = Started("sh", "-c", "trap '' INT; echo up; sleep 1000")
    await wait_until(lambda: b"up" in started.read())
    for _ in range(5000):  # 16 bytes each: more than a pipe holds
        started.process.interrupt(bytes(16))
    assert started.exits == []
    started.process.signal_group(signal.SIGKILL)
    await started.end()


async def test_nothing_else_is_inherited():
    secret_read, secret_write = os.pipe()
    os.set_inheritable(secret_read, True)
    # Of itself: a shell would have its own pipe to its next command for a while.
    started = Started("ls", "-l", "/proc/self/fd")
    await wait_until(lambda: started.read().endswith(b"\n") and started.exits)
    started.read()
    await started.end()
    os.close(secret_read)
    os.close(secret_write)
    assert started.out.count(b"pipe:") == 4  # stdin, stdout, stderr and the interrupt pipe


async def test_descriptors_and_threads_are_given_back():
    def counts():
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    before = counts()
    for _ in range(5):
        await Started("true").end()
    assert counts() == before


async def test_a_command_that_is_not_there_is_a_kernel_error_and_leaks_nothing():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(KernelError, match="'/not/there' cannot be started"):
            LocalProcess(["/not/there"], {}, Path("/"), print)
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_exit_is_said_in_words():
    assert str(Exit(status=3)) == "exited with status 3"
    assert str(Exit(signal=9)) == "was ended by SIGKILL"
    assert str(Exit(signal=250)) == "was ended by signal 250"
