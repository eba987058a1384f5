"""The apps that the readme and the tutorial print are started as a reader starts them."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.processes.visitor import visit
from tests.test_docs import blocks

REPOSITORY = Path(__file__).resolve().parents[2]
_LIMIT_S = 30

pytestmark = [pytest.mark.slow, pytest.mark.process]


def first_block(page: Path, language: str) -> str:
    """The first fenced block of a language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def make_new(name: str, folder: Path) -> None:
    """`databench new NAME`, from the shell."""
    command = [sys.executable, "-m", "databench", "new", name]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True)


def write_app(page: Path, name: str, folder: Path) -> None:
    """Writes the two files of the page's app."""
    app = folder / "analyses" / name
    (app / "analysis.py").write_text(first_block(page, "python"))
    (app / "index.html").write_text(first_block(page, "html"))


@asynccontextmanager
async def serving(
    folder: Path, path: Path = REPOSITORY, command: tuple[str, ...] = ("-m", "databench")
):
    """`databench` started in a folder, its code from `path`; yields its address."""
    environ = {k: v for k, v in os.environ.items() if k not in ("PORT", "HOST")}
    environ |= {"PYTHONPATH": str(path), "PYTHONUNBUFFERED": "1"}
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, *command, "--port", "0"),
        cwd=folder,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert server.stdout is not None
    printed = ""
    try:
        while not (found := re.search(r"http://(127\.0\.0\.1:\d+)", printed)):
            line = await asyncio.wait_for(server.stdout.readline(), _LIMIT_S)
            assert line, f"the server told no address:\n{printed}"
            printed += line.decode()
        yield found[1]
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGTERM)
        printed += (await asyncio.wait_for(server.stdout.read(), _LIMIT_S)).decode()
        code = await server.wait()
        print(printed)
        assert code == 0, printed


@pytest.mark.parametrize(
    ("page", "name", "key", "result", "expected"),
    [
        ("README.md", "pi", "samples", "pi", 3.14),
        ("docs/tutorial/first-analysis.md", "coins", "throws", "share", 0.5),
    ],
)
async def test_documented_app_runs(page, name, key, result, expected, tmp_path):
    make_new(name, tmp_path)
    write_app(REPOSITORY / page, name, tmp_path)
    async with serving(tmp_path) as address:
        answer = await AsyncHTTPClient().fetch(f"http://{address}/{name}/")
        assert b"data-action" in answer.body
        gallery = await AsyncHTTPClient().fetch(f"http://{address}/")
        assert f"{name}/".encode() in gallery.body

        async with visit(address, name) as visitor:
            await visitor.send(signal=key, load=40_000)
            end = await visitor.run()
        assert end["outcome"] == "done"
        assert visitor.data[key] == 40_000
        assert abs(visitor.data[result] - expected) < 0.1
        assert visitor.progress > 0


async def test_new_analysis_runs_at_once(tmp_path):
    make_new("pi", tmp_path)
    async with serving(tmp_path) as address, visit(address, "pi") as visitor:
        await visitor.send(signal="name", load="Ada")
        await visitor.send(signal="greet")
        while visitor.data.get("status") != "Hello, Ada!":
            await visitor.read()
        answer = await AsyncHTTPClient().fetch(f"http://{address}/pi/")
        assert b'data-action="greet"' in answer.body


async def test_documented_figure_is_drawn(tmp_path):
    (tmp_path / "analyses" / "histogram").mkdir(parents=True)
    write_app(REPOSITORY / "docs" / "howto" / "show-a-figure.md", "histogram", tmp_path)
    async with serving(tmp_path) as address, visit(address, "histogram") as visitor:
        await visitor.send(signal="n", load=50)
        await visitor.send(signal="draw")
        while not visitor.data.get("figure"):
            await visitor.read()
        assert visitor.data["figure"].startswith("data:image/png;base64,")


async def test_documented_kernel_file_of_07_runs(tmp_path):
    page = REPOSITORY / "docs" / "reference" / "python.md"
    (text,) = [b.text for b in blocks(page) if "import databench_py.singlethread" in b.text]
    folder = tmp_path / "analyses" / "counter"
    folder.mkdir(parents=True)
    (folder / "analysis.py").write_text(text)
    async with serving(tmp_path) as address, visit(address, "counter") as visitor:
        for _ in range(2):
            await visitor.send(signal="add", load=[3])
        while visitor.data.get("count") != 6:
            await visitor.read()


async def test_documented_app_of_07_runs(tmp_path):
    (tmp_path / "analyses" / "steps").mkdir(parents=True)
    write_app(REPOSITORY / "docs" / "howto" / "upgrade-from-0.7.md", "steps", tmp_path)
    async with serving(tmp_path) as address, visit(address, "steps") as visitor:
        await visitor.send(signal="steps", load=2)
        assert (await visitor.run())["outcome"] == "done"
        assert visitor.data == {"steps": 2, "done": 2}


async def test_documented_script_runs(tmp_path):
    page = REPOSITORY / "docs" / "howto" / "one-script.md"
    (tmp_path / "dice.py").write_text(first_block(page, "python"))
    (tmp_path / "index.html").write_text(first_block(page, "html"))
    async with serving(tmp_path, command=("dice.py",)) as address:
        answer = await AsyncHTTPClient().fetch(f"http://{address}/")
        assert b'data-action="throw"' in answer.body and b"<title>Dice</title>" in answer.body
        async with visit(f"{address}", "") as visitor:
            await visitor.send(signal="throw", load=10)
            while not visitor.data.get("mean"):
                await visitor.read()
        assert 1 <= visitor.data["mean"] <= 6 and visitor.data["throws"] == 10


async def test_kernel_of_the_protocol_page_answers(tmp_path):
    """Its text is a kernel spec of a Databench that is copied beside it."""
    ignored = shutil.ignore_patterns("client", "__pycache__")
    shutil.copytree(REPOSITORY / "databench", tmp_path / "databench", ignore=ignored)
    spec = tmp_path / "kernels" / "mini"
    spec.mkdir(parents=True)
    (spec / "kernel.py").write_text(first_block(REPOSITORY / "docs" / "protocol.md", "python"))
    argv = '["{python}", "{spec}/kernel.py"]'
    (spec / "kernel.yaml").write_text(f"argv: {argv}\nprotocol: 1\nlanguage: Python\n")
    (tmp_path / "analyses" / "twice").mkdir(parents=True)
    index = "analyses:\n  - {name: twice, kernel: mini}\n"
    (tmp_path / "analyses" / "index.yaml").write_text(index)

    async with serving(tmp_path, path=tmp_path) as address:
        async with visit(address, "twice") as visitor:
            await visitor.send(signal="double", load=21)
            while (frame := await visitor.read())["signal"] != "doubled":
                pass
            end = await visitor.run(strict=False)
        assert frame["load"] == 42
        assert end["outcome"] == "error"
