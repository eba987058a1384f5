"""What a person sees of a running server's kernels in the terminal, and over `/_kernels`."""

import json
import os
import re
import subprocess
import sys
import urllib.request

import pytest

from tests.processes.server import LIMIT_S, REPOSITORY, Server
from tests.processes.visitor import visit

ANALYSIS = """
import asyncio, sys
import databench

class Long(databench.Analysis):
    @databench.on
    async def holds(self):
        print("a word on stderr", file=sys.stderr, flush=True)
        self.emit("begun")
        await asyncio.Event().wait()
"""

pytestmark = [pytest.mark.slow, pytest.mark.process]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernels") / "analyses"
    (folder / "long").mkdir(parents=True)
    (folder / "long" / "analysis.py").write_text(ANALYSIS)
    with Server(folder, "--no-debug") as server:
        yield server


def kernels(server, *options):
    """The command, as a person runs it."""
    argv = [sys.executable, "-m", "databench", "kernels", "--port", str(server.port), *options]
    environ = {k: v for k, v in os.environ.items() if k not in ("HOST", "PORT")}
    return subprocess.run(
        argv,
        env=environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )


def test_server_without_kernels_says_so(server):
    done = kernels(server)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("no kernel runs")


async def test_running_action_is_in_the_table_and_in_the_json(server):
    async with visit(server.address, "long") as page:
        await page.send(signal="holds", load={"__process_id": 1})
        await page.read_until("begun")
        table = kernels(server).stdout
        told = json.loads(kernels(server, "--json").stdout)
    pid = server.kernel("long").pid
    expected = rf"long +busy +1 +{pid} +\d+ s +\d+\.\d MiB +\d+ % +1 +0 +holds \d+ s"
    assert re.search(expected, table), table
    (kernel,) = told["kernels"]
    assert kernel["stderr"] == ["a word on stderr"]
    assert kernel["address"] == "/long/"


def test_production_has_no_page_and_says_why(server):
    accept = {"Accept": "text/html"}
    with pytest.raises(urllib.error.HTTPError, match="403") as caught:
        urllib.request.urlopen(urllib.request.Request(server.url + "/_kernels", headers=accept))
    with caught.value as answer:
        assert "runs without --debug" in answer.read().decode()


def test_no_server_is_status_1(server):
    done = kernels(server, "--port", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no server answers at 127.0.0.1:1" in done.stderr
