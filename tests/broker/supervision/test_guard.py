"""The guard process: what it kills and removes when the front is gone, and what it leaves alone."""

import os
import resource
import secrets
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from databench.broker.supervision import guard
from tests.broker.harness import is_alive, wait_until

pytestmark = [pytest.mark.process]
MARK = "DATABENCH_FRONT=test"
BRAND = 2**62 - secrets.randbelow(2**40) - 1  # of this run of the tests alone
BRANDED = hasattr(resource, "RLIMIT_RTTIME")


class Guard:
    """A guard with its input in our hands."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__],
            stdin=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )

    def tell(self, *lines):
        self.process.stdin.write(b"".join(os.fsencode(line) + b"\n" for line in lines))

    def front_is_gone(self):
        self.process.stdin.close()
        return self.process.wait(10)


@pytest.fixture
def own_guard():
    started = Guard()
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.front_is_gone()


@pytest.fixture
def start():
    """Starts a process that sleeps; ends it, if nobody did, after the test."""
    started = []

    def run(mark=None, *, session=True):
        environ = dict(os.environ)
        if mark:
            name, value = mark.split("=")
            environ[name] = value
        process = subprocess.Popen(["sleep", "1000"], env=environ, start_new_session=session)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def socket_folder():
    folder = Path(tempfile.mkdtemp(prefix="databench-"))
    (folder / "front").write_bytes(b"")
    return folder


async def test_groups_marked_processes_and_the_directory_go_with_the_front(own_guard, start):
    kernel, escaped, stranger, ended = start(), start(MARK), start(MARK + "2"), start()
    folder = socket_folder()
    own_guard.tell(f"={folder}", f"#{MARK}", f"+{kernel.pid}", f"+{ended.pid}", f"-{ended.pid}")
    assert is_alive(kernel.pid)
    assert own_guard.front_is_gone() == 0
    await wait_until(lambda: not is_alive(kernel.pid) and not is_alive(escaped.pid))
    assert not folder.exists()
    assert is_alive(stranger.pid)  # another front's
    assert is_alive(ended.pid)  # its number may be somebody else's by now


async def test_a_stopped_process_is_killed_too(own_guard, start):
    kernel = start(MARK)
    kernel.send_signal(signal.SIGSTOP)
    own_guard.tell(f"#{MARK}")
    own_guard.front_is_gone()
    await wait_until(lambda: not is_alive(kernel.pid))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
async def test_the_terminals_signals_do_not_end_it(own_guard, start, number):
    kernel = start(MARK)
    status = Path(f"/proc/{own_guard.process.pid}/status")

    def ignores():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("SigIgn")]
        return int(line.split()[1], 16) >> (number - 1) & 1

    await wait_until(ignores)
    own_guard.process.send_signal(number)
    own_guard.tell(f"#{MARK}")
    assert own_guard.front_is_gone() == 0
    await wait_until(lambda: not is_alive(kernel.pid))


def test_nothing_to_clean_up_is_no_error(own_guard):
    own_guard.tell("+999999999", "=/not/there", "#NOBODY=1", "?what")
    assert own_guard.front_is_gone() == 0


def test_marked_processes_are_found_by_the_whole_word(start):
    one = start(MARK)
    start(MARK + "2")
    while not (found := guard.find_marked(MARK.encode())):
        pass  # between fork and exec the environment is still ours
    assert found == [one.pid]


async def test_kill_all_leaves_none(start):
    processes = [start(MARK) for _ in range(3)]
    guard.kill_all(lambda: guard.find_marked(MARK.encode()))
    await wait_until(lambda: not any(is_alive(p.pid) for p in processes))


def burn(process, number):
    resource.prlimit(process.pid, resource.RLIMIT_RTTIME, (BRAND - number, BRAND))


@pytest.mark.skipif(not BRANDED, reason="the system has no such limit")
def test_branded_processes_are_found_by_kernel_and_by_front(start):
    one, two, stranger = start(), start(), start()
    burn(one, 1)
    burn(two, 2)
    assert guard.find_branded(BRAND, BRAND - 1) == [one.pid]
    assert sorted(guard.find_branded(BRAND)) == sorted([one.pid, two.pid])
    assert guard.find_branded(BRAND - 5) == []
    assert guard.read_brand(stranger.pid)[1] != BRAND
    assert guard.read_brand(2**22 + 1) == (0, 0)  # no such process


@pytest.mark.skipif(not BRANDED, reason="the system has no such limit")
async def test_what_a_kernel_left_goes_at_once_and_the_others_with_the_front(own_guard, start):
    one, two = start(), start()
    burn(one, 1)
    burn(two, 2)
    own_guard.tell(f"%{BRAND}", f"!{BRAND - 1} {BRAND}")
    await wait_until(lambda: not is_alive(one.pid))
    assert is_alive(two.pid)
    assert own_guard.front_is_gone() == 0
    await wait_until(lambda: not is_alive(two.pid))


def test_a_directory_with_a_directory_in_it_is_left(tmp_path):
    (tmp_path / "inner").mkdir()
    guard.remove_directory(str(tmp_path))
    assert (tmp_path / "inner").exists()
