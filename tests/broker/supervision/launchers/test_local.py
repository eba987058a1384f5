"""One kernel process: spawned, signalled, seen to end, reaped with its group."""

import errno
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from databench import descriptors
from databench.broker.supervision.launchers.local import Exit, LocalProcess, find_pair
from databench.errors import KernelError
from tests.broker.harness import is_alive, wait_until

pytestmark = [pytest.mark.process]

INTERRUPTED = """
import os, signal
fd = int(os.environ["DATABENCH_INTERRUPT_FD"])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
print("ready", flush=True)
signal.sigwait([signal.SIGINT])
os.set_blocking(fd, False)  # a record that comes after its signal is an error
print(os.read(fd, 64).hex(), flush=True)
"""


class Started:
    """A process, its exits, and what it wrote to stdout."""

    def __init__(self, *command, limits=None):
        self.exits = []
        self.process = LocalProcess(command, dict(os.environ), Path("/"), self.exits.append, limits)
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
    page_record = struct.pack("<QQ", 17, 1)
    started = Started(sys.executable, "-S", "-c", INTERRUPTED)
    await wait_until(lambda: b"ready" in started.read())
    started.process.interrupt(page_record)
    await wait_until(lambda: page_record.hex().encode() in started.read())
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


# -- limits of the system --------------------------------------------------------------------------

FILES, PROCESSOR, NONE = resource.RLIMIT_NOFILE, resource.RLIMIT_CPU, resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("number", "limit", "most", "pair"),
    [
        (FILES, 99, 4096, (99, 99)),  # it cannot raise it, as programs in Go do by themselves
        (FILES, 99, NONE, (99, 99)),
        (FILES, 9999, 4096, (4096, 4096)),
        (PROCESSOR, 60, NONE, (60, 61)),
        (PROCESSOR, 60, 3600, (60, 61)),
        (PROCESSOR, 60, 60, (60, 60)),
    ],
)
def test_soft_and_hard_limits(number, limit, most, pair):
    assert find_pair(number, limit, most) == pair


async def test_limits_hold_for_the_process_and_what_it_starts():
    code = "import resource as r; print(*r.getrlimit(r.RLIMIT_NOFILE), *r.getrlimit(r.RLIMIT_CPU))"
    command = f"read word; {sys.executable} -c '{code}'"
    started = Started("/bin/sh", "-c", command, limits={FILES: 99, PROCESSOR: 60})
    started.process._process.stdin.write(b"go\n")
    await wait_until(lambda: started.read().endswith(b"\n"))
    assert started.out == b"99 99 60 61\n"
    assert await started.end() == [Exit(status=0)]


async def test_a_process_that_survives_the_signal_of_its_limit_is_killed_by_the_next():
    code = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    started = Started(sys.executable, "-c", code, limits={PROCESSOR: 1})
    assert await started.end() == [Exit(signal=signal.SIGKILL)]


@pytest.mark.expected_log("open files: 1000000000 wanted, but the server's limit is 4096")
async def test_more_than_the_server_may_have_is_told(monkeypatch):
    given = []

    def prlimit(_pid, _number, pair=None):
        given.append(pair)
        return (1024, 4096)

    monkeypatch.setattr(resource, "prlimit", prlimit)
    started = Started("/bin/true", limits={FILES: 10**9})
    assert given == [None, (4096, 4096)]
    assert await started.end() == [Exit(status=0)]


# ---------------------------------------------------------------- what the system refuses


def count_children():
    return len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


async def test_no_kernel_is_started_with_the_last_descriptors(monkeypatch):
    monkeypatch.setattr(descriptors, "count", lambda: 1000)
    monkeypatch.setattr(descriptors, "limit", lambda: 1010)
    with pytest.raises(KernelError, match="1000 of 1010 descriptors are in use, and it needs 24"):
        Started("sleep", "60")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EAGAIN, "the system allows no further process"),
        (errno.ENOMEM, "the system has no memory for it"),
        (errno.EMFILE, "the server has no descriptor left"),
    ],
)
async def test_fork_that_fails_is_said_in_words_and_leaves_nothing(monkeypatch, number, words):
    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    before = descriptors.count(), count_children()
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(KernelError, match=words):
        Started("sleep", "60")
    assert (descriptors.count(), count_children()) == before


@pytest.mark.parametrize("copy", [1, 2])
async def test_process_whose_output_cannot_be_read_is_ended(monkeypatch, copy):
    real, made = os.dup, []

    def dup(number):
        made.append(number)
        if len(made) == copy:
            raise OSError(errno.EMFILE, "Too many open files")
        return real(number)

    before = descriptors.count(), count_children()
    monkeypatch.setattr(os, "dup", dup)
    with pytest.raises(KernelError, match="its process cannot be watched: the server has no desc"):
        Started("sleep", "60")
    assert (descriptors.count(), count_children()) == before


async def test_process_that_no_thread_can_watch_is_ended(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    before = descriptors.count(), count_children()
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(KernelError, match="can't start new thread"):
        Started("sleep", "60")
    assert (descriptors.count(), count_children()) == before


async def test_process_has_the_limit_of_files_that_the_server_was_started_with(monkeypatch):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    monkeypatch.setattr(descriptors, "find_started", lambda: 100)
    started = Started("sh", "-c", "read line; ulimit -Sn; ulimit -Hn")
    started.process._process.stdin.write(b"\n")
    await wait_until(lambda: started.read().count(b"\n") == 2)
    assert started.out.split() == [b"100", str(hard).encode()]
    await started.end()
