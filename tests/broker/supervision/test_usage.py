"""What process groups use: read from texts as the system writes them."""

import os
import subprocess
import sys

import pytest

from databench.broker.supervision.usage import (
    Sampler,
    Usage,
    compare,
    count_memory_kills,
    parse_stat,
    read_groups,
    read_resident,
)

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def stat(pid, group, *, name="python3", ticks=(300, 100, 40, 10), pages=25):
    fields = ["S", 1, group, group, *[0] * 7, *ticks, 20, 0, 1, 0, 5000, 10**8, pages, 0]
    return f"{pid} ({name}) {' '.join(map(str, fields))}\n"


@pytest.mark.parametrize("name", ["python3", "a) S 9 9 (b", "tmux: server"])
def test_stat_is_read_whatever_the_name(name):
    group, usage = parse_stat(stat(7, 5, name=name))
    assert group == 5
    assert usage == Usage(25 * PAGE_BYTES, 450 / TICKS_PER_S)


@pytest.mark.parametrize("text", ["", "7 (x) S 1", stat(7, "five")])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError):
        parse_stat(text)


def test_groups_are_added_up_and_others_left_out(tmp_path):
    for pid, group in ((5, 5), (6, 5), (7, 7)):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(stat(pid, group))
    (tmp_path / "8").mkdir()  # it has ended meanwhile
    (tmp_path / "self").mkdir()
    assert read_groups({5, 9}, tmp_path) == {5: Usage(50 * PAGE_BYTES, 900 / TICKS_PER_S, 2)}


def test_nothing_is_known_where_the_system_does_not_tell(tmp_path):
    assert read_groups({5}, tmp_path / "none") == {}


def test_share_is_of_one_processor_and_never_negative():
    assert compare(Usage(1, 10.0), Usage(2, 11.0, 3), 2.0) == Usage(2, 11.0, 3, 50.0)
    assert compare(Usage(1, 10.0), Usage(2, 9.0), 2.0).percent == 0.0


def test_sampled_at_most_once_a_second_and_old_samples_are_not_compared():
    now, asked = [100.0], []

    def read(groups):
        asked.append(now[0])
        return {group: Usage(1, now[0] / 2) for group in groups}

    sampler = Sampler(read, lambda: now[0])
    assert sampler.sample({5})[5].percent is None
    now[0] = 100.9
    assert sampler.sample({5})[5].percent is None
    now[0] = 102.0
    assert sampler.sample({5, 6})[5].percent == 50.0
    assert sampler.sample({5, 6})[6].percent is None
    now[0] = 202.0
    assert sampler.sample({5})[5].percent is None
    assert asked == [100.0, 102.0, 202.0]


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_memory_of_one_process(tmp_path):
    write(tmp_path / "5" / "statm", "900 25 7 1 0 300 0\n")
    write(tmp_path / "6" / "statm", "")
    assert read_resident(5, tmp_path) == 25 * PAGE_BYTES
    assert read_resident(6, tmp_path) is None
    assert read_resident(7, tmp_path) is None
    assert read_resident(os.getpid()) > 2**20


VMSTAT = "pgfault 1\noom_kill 9\noom_kill_x 7\n"
EVENTS = "low 0\nhigh 0\nmax 4\noom 3\noom_kill 2\noom_group_kill 1\n"
CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"


@pytest.mark.parametrize(
    ("groups", "files", "count"),
    [
        ("0::/user/one\n", {"user/one/memory.events": EVENTS}, 2),
        ("0::/host/path\n", {"memory.events": EVENTS}, 2),  # the container's own, at the top
        ("0::/\n", {}, 9),  # the root has no such file
        ("4:cpu,memory:/one\n0::/\n", {"memory/one/memory.oom_control": CONTROL}, 5),
        ("4:memory:/host/path\n", {"memory/memory.oom_control": CONTROL}, 5),
        ("4:memory:/\n", {"memory/memory.oom_control": "oom_kill_disable 0\n"}, 9),  # before 4.13
        ("2:cpu:/one\nno line of it\n", {"one/memory.events": EVENTS}, 9),
    ],
)
def test_kills_for_want_of_memory_are_those_of_the_own_group(tmp_path, groups, files, count):
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    write(proc / "vmstat", VMSTAT)
    write(proc / "self" / "cgroup", groups)
    for name, text in files.items():
        write(cgroups / name, text)
    assert count_memory_kills(proc, cgroups) == count


def test_kills_for_want_of_memory_are_none_where_the_system_does_not_tell(tmp_path):
    assert count_memory_kills(tmp_path, tmp_path) == 0
    write(tmp_path / "vmstat", VMSTAT)
    assert count_memory_kills(tmp_path, tmp_path) == 9


@pytest.mark.slow
@pytest.mark.process
def test_real_group_is_found_with_its_child():
    code = (
        "import subprocess, sys; child = subprocess.Popen(['sleep', '60']);"
        "print('there', flush=True); sys.stdin.read(); child.kill(); child.wait()"
    )
    argv = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, start_new_session=True) as process:
        assert process.stdout.readline() == b"there\n"
        usage = read_groups({process.pid})[process.pid]
        process.stdin.close()
    assert usage.processes == 2
    assert usage.memory_bytes > 2**20
    assert usage.processor_s > 0
