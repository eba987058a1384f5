"""What processes hold: read from texts as the system writes them, and of real ones that share."""

import contextlib
import os
import subprocess
import sys

import pytest

from databench.broker.supervision import memory_use as held
from databench.broker.supervision.memory_use import read_excesses, read_held

MIB = 2**20


def status(anonymous, file, shared):
    rss = anonymous + file + shared
    parts = f"RssAnon:\t{anonymous} kB\nRssFile:\t{file} kB\nRssShmem:\t{shared} kB\n"
    return f"Name:\tpython3\nVmRSS:\t  {rss} kB\n{parts}"


def rollup(anonymous, file, shared):
    parts = f"Pss_Anon: {anonymous} kB\nPss_File:  {file} kB\nPss_Shmem:  {shared} kB\n"
    return f"0-f ---p 0 00:00 0 [rollup]\nRss:  9999 kB\nPss:  {anonymous + file} kB\n{parts}"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes what the system tells of a process of group 5."""
    monkeypatch.setattr(held.os, "getpgid", lambda pid: 5 if pid != 9 else 9)

    def write(pid, **texts):
        folder = tmp_path / str(pid)
        folder.mkdir()
        for name, text in texts.items():
            (folder / name).write_text(text)

    return write


def test_files_do_not_count_and_shared_memory_does(write, tmp_path):
    write(5, status=status(20, 700, 3))
    assert read_held(5, tmp_path) == 23 * 1024


def test_an_old_system_tells_what_is_resident_and_none_tells_nothing(write, tmp_path):
    write(5, status="VmRSS:\t 40 kB\n")
    write(6, status="Name:\tzombie\n")
    assert read_held(5, tmp_path) == 40 * 1024
    assert read_held(6, tmp_path) is None
    assert read_held(7, tmp_path) is None


def test_a_group_holds_its_processes_parts_of_what_they_share(write, tmp_path):
    write(5, status=status(100, 0, 0), smaps_rollup=rollup(60, 7, 1))
    write(6, status=status(100, 0, 0), smaps_rollup=rollup(59, 7, 0))
    write(9, status=status(900, 0, 0), smaps_rollup=rollup(900, 0, 0))
    (tmp_path / "self").mkdir()
    assert read_excesses({5: 119 * 1024}, tmp_path) == {5: 120 * 1024}
    assert read_excesses({5: 120 * 1024}, tmp_path) == {}


@pytest.mark.parametrize("text", ["", "Rss: 9 kB\nPss: 9 kB\n"])
def test_shared_pages_count_for_each_where_the_system_tells_no_parts(write, tmp_path, text):
    write(5, status=status(100, 0, 0), smaps_rollup=text)
    write(6, status=status(100, 0, 0))
    assert read_excesses({5: 150 * 1024}, tmp_path) == {5: 200 * 1024}


def test_parts_are_not_read_where_there_is_enough_room(write, tmp_path, monkeypatch):
    write(5, status=status(100, 0, 0), smaps_rollup=rollup(100, 0, 0))
    monkeypatch.setattr(held, "_read_share", None)
    assert read_excesses({5: 200 * 1024}, tmp_path) == {}


def test_nothing_is_known_where_the_system_does_not_tell(tmp_path):
    assert read_excesses({5: 1}, tmp_path / "none") == {}


CODE = """
import mmap, os, sys, tempfile
held = bytearray(b"x") * (64 << 20)
file = tempfile.TemporaryFile()
file.write(held)
file.flush()
mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
mapped.find(b"y")  # every page of it is resident now
ends = []
for _ in range(3):
    end, other = os.pipe()
    if os.fork() == 0:
        os.close(other)
        os.read(end, 1)
        os._exit(0)
    ends.append(other)
print("there", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def family(code):
    """A real process that leads a group, once it has said that it is there."""
    pipe = subprocess.PIPE
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, start_new_session=True) as process:
        assert process.stdout.readline() == b"there\n"
        yield process.pid
        process.stdin.close()


@pytest.mark.slow
@pytest.mark.process
def test_real_processes_that_share_hold_what_they_share_once():
    with family(CODE) as pid:
        assert 64 * MIB < read_held(pid) < 100 * MIB  # with the file it were 128
        assert read_excesses({pid: 100 * MIB}) == {}  # four times the same
        found = read_excesses({pid: 64 * MIB})
        assert 64 * MIB < found[pid] < 100 * MIB
        assert os.getpgid(pid) == pid
