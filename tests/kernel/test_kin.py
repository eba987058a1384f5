"""What a kernel has started ends with it."""

import os
import subprocess
import sys

import pytest

from databench.kernel.kin import find_kin
from tests.broker.harness import is_alive, wait_until

PARENT = """
import subprocess, sys
from databench.kernel import kin
argv = [sys.executable, "-c", "import time; time.sleep(100)"]
print(subprocess.Popen(argv).pid)
print(subprocess.Popen(argv, start_new_session=True, env={}).pid, flush=True)
sys.stdin.read()
kin.end_all()
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


@pytest.mark.slow
@pytest.mark.process
async def test_children_end_with_their_kernel_in_another_session_and_environment_too():
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env=dict(os.environ),
    ) as process:
        children = [int(process.stdout.readline()) for _ in range(2)]
        assert all(map(is_alive, children))
        process.stdin.close()
        assert process.wait(20) == 0
        await wait_until(lambda: not any(map(is_alive, children)))
