"""How much memory the front takes for its own: half of the machine, or of the control group."""

import pytest

from databench.broker.machine import UNKNOWN_BYTES, find_budget

MIB = 2**20
TOTAL = "MemTotal:       {} kB\nMemFree:        1 kB\n"


def write(root, files):
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


V2 = "0::/app/inner\n"
V1 = "9:cpu,cpuacct:/other\n5:memory:/app\n1:name=systemd:/\n"


@pytest.mark.parametrize(
    ("files", "size_bytes"),
    [
        ({}, 800 * MIB),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/app/memory.max": "max\n"}, 800 * MIB),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/app/inner/memory.max": "209715200\n"}, 200 * MIB),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/app/memory.max": "104857600\n"}, 100 * MIB),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/memory.max": "104857600\n"}, 100 * MIB),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/memory.max": "99999999999999\n"}, 800 * MIB),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/memory/app/memory.limit_in_bytes": "104857600\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            100 * MIB,
        ),
        ({"proc/self/cgroup": "junk\n5:memory:/../..\n"}, 800 * MIB),
    ],
)
def test_the_least_of_machine_and_control_groups_is_halved(tmp_path, files, size_bytes):
    write(tmp_path, {"proc/meminfo": TOTAL.format(800 * 1024), **files})
    assert find_budget(tmp_path) == size_bytes // 2


def test_a_system_that_says_nothing_counts_as_a_small_one(tmp_path):
    assert find_budget(tmp_path) == UNKNOWN_BYTES // 2


def test_this_machine_has_some():
    assert find_budget() > 2**26
