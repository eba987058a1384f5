"""Shell commands: their output, their end, and that nothing outlives them."""

import asyncio
import os
from pathlib import Path

import pytest

from databench.broker.supervision.launchers.shell import Shell
from databench.settings import Settings
from tests.broker.harness import is_alive, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]


async def run(command, folder, lines=None, **limits):
    async with Shell(Settings(**limits)) as shell:
        return await shell.run(command, folder, (lines if lines is not None else []).append)


async def test_a_command_runs_in_its_folder_and_its_lines_are_told(tmp_path):
    lines = []
    assert await run("pwd; echo to stderr >&2; cat", tmp_path, lines) == ""
    assert sorted(lines) == sorted([str(tmp_path), "to stderr"])


@pytest.mark.parametrize(
    ("command", "problem"),
    [("exit 3", "exited with status 3"), ("kill -9 $$", "was ended by SIGKILL")],
)
async def test_a_command_that_fails_says_how(tmp_path, command, problem):
    assert await run(command, tmp_path) == problem


async def test_a_folder_that_is_gone_is_told(tmp_path):
    assert "cannot be started" in await run("true", tmp_path / "gone")


async def test_one_that_takes_too_long_is_ended_with_its_children(tmp_path):
    pids = []
    problem = await run("sleep 60 & echo $!; echo $$; wait", tmp_path, pids, build_limit_s=0.5)
    assert problem == "took more than 0.5 s, limit (build_limit_s); ended"
    assert len(pids) == 2
    await wait_until(lambda: not any(is_alive(int(pid)) for pid in pids))


async def test_what_a_command_leaves_ends_with_it_also_out_of_its_group(tmp_path):
    pids = []
    assert await run("setsid sleep 60 & echo $!; sleep 60 & echo $!", tmp_path, pids) == ""
    await wait_until(lambda: not any(is_alive(int(pid)) for pid in pids))


async def test_a_cancelled_one_is_ended(tmp_path):
    pids = []
    task = asyncio.ensure_future(run("echo $$; sleep 60", tmp_path, pids))
    await wait_until(lambda: pids)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_alive(int(pids[0]))
    assert not list(Path(os.environ["TMPDIR"]).glob("databench-*"))
