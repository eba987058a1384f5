"""`build:`: what runs when, what a failure tells, and that it harms nothing else."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from databench.config import load
from databench.front.reload import build
from databench.settings import Settings
from tests.broker.harness import is_alive, wait_until
from tests.processes.server import REPOSITORY, Server

pytestmark = [pytest.mark.process, pytest.mark.slow]

INDEX = """
build: echo project >> log.txt
analyses:
  - name: x
    build:
      - echo one >> log.txt
      - echo two >> log.txt
  - y
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "analyses"
    for name in ("x", "y"):
        (folder / name).mkdir(parents=True)
        (folder / name / "analysis.py").write_text(
            "import databench\nclass A(databench.Analysis):\n    pass\n"
        )
    (folder / "index.yaml").write_text(INDEX)
    return folder


def log_of(folder):
    return (folder / "log.txt").read_text().split()


async def test_commands_run_in_order_in_the_folder_of_the_analyses(project, caplog):
    caplog.set_level("INFO", "databench.front")
    faults = await build.run(load(project), Settings())
    assert faults == {"": (), "x": ()}
    assert log_of(project) == ["project", "one", "two"]
    assert "build of 'x': echo two >> log.txt" in [r.getMessage() for r in caplog.records]


async def test_only_what_is_asked_for_runs(project):
    assert await build.run(load(project), Settings(), ["x", "y"]) == {"x": ()}
    assert log_of(project) == ["one", "two"]


@pytest.mark.expected_log("exited with status 3")
async def test_a_failure_ends_its_list_alone(project):
    text = INDEX.replace("- echo one >> log.txt", "- echo no such thing >&2; exit 3")
    (project / "index.yaml").write_text(text)
    faults = await build.run(load(project), Settings())
    assert faults[""] == ()
    assert faults["x"] == (
        "build of 'x': 'echo no such thing >&2; exit 3' exited with status 3: no such thing; "
        "the existing files are served",
    )
    assert log_of(project) == ["project"]


async def test_lines_are_told_with_the_name_and_bounded(project, caplog):
    caplog.set_level("INFO", "databench.front")
    (project / "index.yaml").write_text("analyses: [{name: x, build: 'seq 1 50'}]")
    await build.run(load(project), Settings(build_lines=3))
    lines = [r.getMessage() for r in caplog.records]
    assert lines[1:] == [
        "build of 'x': 1",
        "build of 'x': 2",
        "build of 'x': 3",
        "build of 'x': further lines are not shown, limit 3",
    ]


async def test_without_commands_nothing_runs(project):
    (project / "index.yaml").write_text("analyses: [x, y]")
    assert await build.run(load(project), Settings()) == {}


async def test_what_is_asked_for_while_one_runs_follows_it_once(project):
    (project / "index.yaml").write_text("analyses: [{name: x, build: 'echo x >> log.txt'}]")
    builder = build.Builder(Settings())
    index = load(project)
    builder.begin(index, ["x"])
    await asyncio.sleep(0)
    for _ in range(3):
        builder.begin(index, ["x", "y"])
    await wait_until(lambda: builder._task is None)
    assert log_of(project) == ["x", "x"]


async def test_what_a_build_makes_does_not_begin_another(project):
    text = "analyses: [{name: x, build: 'echo x >> x/made.txt; echo x >> log.txt'}]"
    (project / "index.yaml").write_text(text)
    builder, index = build.Builder(Settings()), load(project)
    made, source = project / "x" / "made.txt", project / "x" / "source.txt"
    builder.begin(index, ["x"])
    for _ in range(3):  # a watcher tells of it each time; it may have been a person, once
        await wait_until(lambda: builder._task is None)
        builder.begin_for(index, {str(made): ["x"]})
    assert log_of(project) == ["x", "x"]
    source.write_text("new")
    os.utime(source, (2e9, 2e9))
    builder.begin_for(index, {str(made): ["x"], str(source): ["x"]})
    await wait_until(lambda: builder._task is None)
    builder.begin_for(index, {str(made): ["x"]})
    assert builder._task is None
    assert log_of(project) == ["x", "x", "x"]


async def test_a_file_that_a_person_saves_while_a_build_runs_is_built(project):
    text = "analyses: [{name: x, build: 'cat x/source.txt >> log.txt; cat > /dev/null < fifo'}]"
    (project / "index.yaml").write_text(text)
    os.mkfifo(project / "fifo")
    builder, index = build.Builder(Settings()), load(project)
    source = project / "x" / "source.txt"
    source.write_text("v0\n")
    builder.begin_for(index, {str(source): ["x"]})
    await wait_until(lambda: (project / "log.txt").exists() and log_of(project))
    source.write_text("v1\n")
    builder.begin_for(index, {str(source): ["x"]})
    await asyncio.to_thread((project / "fifo").write_text, "go on")
    await wait_until(lambda: log_of(project)[1:])
    await asyncio.to_thread((project / "fifo").write_text, "go on")
    await wait_until(lambda: builder._task is None)
    assert log_of(project) == ["v0", "v1"]


async def test_the_end_of_the_server_ends_a_build(project):
    (project / "index.yaml").write_text("analyses: [{name: x, build: 'echo $$ > pid; sleep 60'}]")
    builder = build.Builder(Settings())
    builder.begin(load(project), ["x"])
    pid = await wait_until(lambda: (project / "pid").exists() and (project / "pid").read_text())
    await builder.stop()
    assert not is_alive(int(pid))


# -- the command -----------------------------------------------------------------------------------


def databench(project, *options):
    command = [sys.executable, "-m", "databench", "--analyses", str(project), *options]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        command, env=environ, cwd=project.parent, capture_output=True, text=True, timeout=60
    )


def test_the_option_builds_and_ends_well(project):
    result = databench(project, "--build")
    assert (result.returncode, log_of(project)) == (0, ["project", "one", "two"])
    assert "serves" not in result.stdout


@pytest.mark.expected_log("exited with status 3")
async def test_a_failure_on_a_page_has_no_colours(project):
    failing = r"- printf '\033[31mno such\tthing\033[0m\n' >&2; exit 3"
    (project / "index.yaml").write_text(INDEX.replace("- echo one >> log.txt", failing))
    (fault,) = (await build.run(load(project), Settings()))["x"]
    assert fault.endswith("status 3: no such thing; the existing files are served")


def test_the_option_ends_with_1_where_a_command_fails(project):
    (project / "index.yaml").write_text(INDEX.replace("echo one >> log.txt", "exit 7"))
    result = databench(project, "--build")
    assert result.returncode == 1
    assert "build of 'x': 'exit 7' exited with status 7" in result.stderr


async def test_a_server_builds_first_and_tells_of_a_failure_on_the_page(project):
    text = INDEX.replace("echo two >> log.txt", "echo broken; exit 7")
    (project / "index.yaml").write_text(text)
    with Server(project, "--watch") as server:
        assert log_of(project) == ["project", "one"]
        server.wait_printed("build of 'x': broken")
        client = AsyncHTTPClient()
        assert (
            "this analysis has a problem" in (await client.fetch(f"{server.url}/x/")).body.decode()
        )
        right = {"Authorization": f"Bearer {server.token}"}
        page = (await client.fetch(f"{server.url}/x/", headers=right)).body.decode()
        assert "exited with status 7: broken; the existing files are served" in page
        assert "exited with status" not in (await client.fetch(f"{server.url}/y/")).body.decode()
        watched = "analyses: [{name: x, watch: 'x/*.ts', build: 'cat x/a.ts'}, y]"
        (project / "index.yaml").write_text(watched)
        server.wait_printed("build of 'x': 'cat x/a.ts' exited with status 1")
        # The watcher takes the new patterns at the same time: what it finds at its first look with
        # them is no save, so the file is saved until one is seen.
        saves = itertools.count()
        await wait_until(lambda: _save(project / "x" / "a.ts", next(saves)) in server.printed)
        server.wait_printed("build of 'x': the source\n(.*\n)*.*built: x")
        page = (await client.fetch(f"{server.url}/x/")).body.decode()
        assert "exited with status" not in page
        (project / "x" / "a.ts").write_text("")  # and a Python file that the analysis is made of
        server.wait_printed("built: x\n(.*\n)*.*built: x")
        with (project / "x" / "analysis.py").open("a") as file:
            file.write("# saved\n")
        server.wait_printed("built: x\n(.*\n)*.*built: x\n(.*\n)*.*built: x")


def _save(file: Path, number: int) -> str:
    """Saves other contents now and then; what the build prints of any of them."""
    if number % 250 == 0:
        file.write_text(f"// {number}\nthe source\n")
    return "build of 'x': the source"


def test_a_killed_server_leaves_no_build(project):
    (project / "index.yaml").write_text("build: echo $$ > pid; setsid sleep 60")
    command = [sys.executable, "-m", "databench", "--analyses", str(project), "--port", "0"]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    server = subprocess.Popen(command, env=environ, cwd=project.parent)
    try:
        asyncio.run(wait_until(lambda: (project / "pid").exists() and log_pid(project)))
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    asyncio.run(wait_until(lambda: not is_alive(log_pid(project))))


def log_pid(project):
    text = (project / "pid").read_text().strip()
    return int(text) if text else 0
