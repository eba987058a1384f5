"""What a kernel has started ends with it."""

import os
import resource
import secrets
import subprocess
import sys

import pytest

from databench.kernel.process.kin import find_branded, find_kin
from databench.protocol.brand import find_soft
from tests.broker.harness import is_alive, wait_until

PARENT = """
import resource, subprocess, sys
from databench.kernel.process import kin
from databench.protocol import brand
argv = [sys.executable, "-c", "import time; time.sleep(100)"]
print(subprocess.Popen(argv).pid)
print(subprocess.Popen(argv, start_new_session=True, env={}).pid)
hard = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_RTTIME, (brand.find_soft(hard, b"k1.1.random"), hard))
daemon = "echo $$; exec sleep 100 >/dev/null 2>&1"
print(int(subprocess.check_output(["env", "-i", "setsid", "-f", "/bin/sh", "-c", daemon])))
sys.stdout.flush()
sys.stdin.read()
kin.end_all(b"k1.1.random")
"""


def test_kin_is_found_at_any_depth_and_in_the_group(tmp_path):
    for pid, parent, group, name in (
        (2, 1, 1, "a"),
        (3, 2, 3, "b) R 7 ("),
        (4, 3, 4, "c"),
        (5, 9, 9, "d"),
        (6, 9, 1, "e"),
        (1, 9, 1, "self"),
    ):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(f"{pid} ({name}) S {parent} {group} 0")
    (tmp_path / "7").mkdir()  # ended meanwhile
    (tmp_path / "self").mkdir()
    assert sorted(find_kin(1, tmp_path)) == [2, 3, 4, 6]
    assert find_kin(8, tmp_path) == []
    assert find_kin(1, tmp_path / "none") == []


def test_only_a_brand_of_its_own_says_who_belongs_to_a_kernel(monkeypatch):
    name = b"k1.1.random"
    own = (find_soft(2**62 - 1, name), 2**62 - 1)
    for limits in (own, (-1, -1), (200_000, 200_000), (2**62 - 2, 2**62 - 1)):
        monkeypatch.setattr(resource, "prlimit", lambda *_, limits=limits: limits)
        # All have the same limits here, as below a kernel that starts another front.
        assert bool(find_branded(name)) is (limits == own)
    assert os.getpid() not in find_branded(name)
    monkeypatch.delattr(resource, "RLIMIT_RTTIME", raising=False)
    assert find_branded(name) == []


@pytest.mark.slow
@pytest.mark.process
async def test_children_and_daemons_end_with_their_kernel_in_another_session_and_environment_too():
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(2**62 - secrets.randbelow(2**40) - 1)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env=dict(os.environ),
    ) as process:
        children = [int(process.stdout.readline()) for _ in range(3)]
        assert all(map(is_alive, children))
        process.stdin.close()
        assert process.wait(20) == 0
        await wait_until(lambda: not any(map(is_alive, children)))
