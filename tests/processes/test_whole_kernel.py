"""The kernel on the last page of docs/protocol.md, in a server: it does what that page asks."""

import re
from pathlib import Path

import pytest

from tests.broker.harness import wait_until
from tests.processes.server import Server
from tests.processes.visitor import visit

pytestmark = [pytest.mark.process, pytest.mark.slow]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"


def read_kernel():
    section = PAGE.read_text().partition("## 10. A whole kernel")[2]
    return re.search(r"```python\n(.*?)```", section, re.DOTALL).group(1)


@pytest.fixture
def folder(tmp_path):
    spec = tmp_path / "kernels" / "tiny"
    spec.mkdir(parents=True)
    (spec / "kernel.py").write_text(read_kernel())
    (spec / "kernel.yaml").write_text("protocol: 1\nargv: ['{python}', '{spec}/kernel.py']\n")
    analyses = tmp_path / "analyses"
    (analyses / "tiny").mkdir(parents=True)
    (analyses / "index.yaml").write_text("analyses: [{name: tiny, kernel: tiny}]\n")
    return analyses


async def end_of(visitor, id_, action):
    """How the action ends, whose argument is an object."""
    await visitor.send(signal=action, load={"__process_id": id_})
    while True:
        load = await visitor.read_until("__process", strict=False)
        if load["id"] == id_ and load["status"] == "end":
            return load


async def test_the_kernel_of_the_page_runs_fails_in_words_and_ends_with_the_front(folder):
    with Server(folder) as server:
        async with visit(server.address, "tiny") as visitor:
            end = await end_of(visitor, 1, "double")  # an object cannot be doubled
            assert (end["outcome"], end["error"]["type"]) == ("error", "TypeError")
            end = await end_of(visitor, 2, "halve")
            assert end["error"]["message"].startswith("LookupError: no action 'halve'")
            await visitor.send(signal="double", load=21)
            assert await visitor.read_until("doubled", strict=False) == 42
        kernel = server.kernel("tiny")
        server.kill()
        await wait_until(lambda: not kernel.is_running())
