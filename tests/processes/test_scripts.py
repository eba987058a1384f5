"""One script as a person starts it: with Python, or with `databench`; the kernel runs it too."""

import asyncio
import itertools
import json
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

from tests.processes.visitor import Visitor

REPOSITORY = Path(__file__).resolve().parents[2]
_LIMIT_S = 30
_NUMBERS = itertools.count(1)

pytestmark = [pytest.mark.slow, pytest.mark.process]

SCRIPT = """\
import concurrent.futures
import inspect
import multiprocessing
import os
import pickle
import sys

import databench
import tornado.web

from beside import FACTOR

print('printed by', __name__, flush=True)


class Model:
    def __init__(self, value):
        self.value = value


def work(n):
    return FACTOR * n


class Pi(databench.Analysis):
    def on_where(self):
        assert 'AFTER' not in globals()
        return [__name__, os.getcwd(), sys.argv[1:], self.cli_args, self.request_args]

    def on_pickle(self):
        with open('model.pickle', 'rb') as file:
            saved = pickle.load(file)
        again = pickle.loads(pickle.dumps(saved))
        return [saved.value, type(again) is Model, inspect.getsource(Model).split()[1]]

    def on_pool(self, method):
        context = multiprocessing.get_context(method)
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            return list(pool.map(work, range(3)))


class Plain(tornado.web.RequestHandler):
    def get(self):
        self.write('plain')


if GUARD:
    with open('model.pickle', 'wb') as file:
        pickle.dump(Model(7), file)
    databench.run(
        Pi,
        __file__,
        info={'title': 'The title', 'colour': 'red', 'debug': 0, 'name': 0, 'handler': 0},
        static={r'files/(.*)': 'given'},
        extra_routes=[('plain', Plain, None)],
    )
    AFTER = True
    print('after', __name__)
"""
PAGE = """\
{% extends "analysis.html" %}
{% block analysis %}<p>{{ title }} in {{ globals().get('colour') }}</p>{% end %}
"""


@asynccontextmanager
async def serving(*words: str, folder: Path):
    """A command started in a folder; yields its address and what it printed."""
    environ = {k: v for k, v in os.environ.items() if k not in ("PORT", "HOST")}
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, *words, "--port", "0", "--x", "1"),
        cwd=folder,
        env=environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert server.stdout is not None
    printed: list[str] = []
    try:
        while not (found := re.search(r"http://(\S+?)/(\S*?)\?token=\S+ ", "".join(printed))):
            line = await asyncio.wait_for(server.stdout.readline(), _LIMIT_S)
            assert line, "".join(printed)
            printed.append(line.decode())
        yield found[1], found[2], printed
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGTERM)
        printed.append((await asyncio.wait_for(server.stdout.read(), _LIMIT_S)).decode())
        code = await server.wait()
        print("".join(printed))
        assert code == 0


async def call(visitor: Visitor, action: str, load=None):
    """Runs an action; what it returned."""
    number = next(_NUMBERS)
    load = {"method": load} if load else {}
    await visitor.send(signal=action, load={**load, "__process_id": number})
    while True:
        frame = await visitor.read()
        if frame["signal"] == "__process" and frame["load"]["status"] == "end":
            return frame["load"].get("result")


def find_token(printed: list[str]) -> str:
    """What the address in the terminal ends with."""
    return "".join(printed).partition("?token=")[2].split()[0]


@asynccontextmanager
async def visit(address: str, token: str = "", **more):
    headers = {"Authorization": f"Bearer {token}"}
    visitor = Visitor(await websocket_connect(HTTPRequest(f"ws://{address}/ws", headers=headers)))
    try:
        await visitor.send(__connect=None, __request_args="?a=1", **more)
        assert (await visitor.read())["signal"] == "__connect"
        yield visitor
    finally:
        visitor.socket.close()
        while await visitor.socket.read_message() is not None:
            pass


async def get(address: str, path: str = ""):
    answer = await AsyncHTTPClient().fetch(f"http://{address}/{path}", raise_error=False)
    return answer.code, answer.body.decode()


@pytest.fixture
def folder(tmp_path):
    """Where the script is, below the working directory, with a page and files."""
    folder = tmp_path / "sub"
    (folder / "given").mkdir(parents=True)
    (folder / "static").mkdir()
    (folder / "given" / "x.txt").write_text("x")
    (folder / "static" / "y.txt").write_text("y")
    (folder / "secret.txt").write_text("s")
    (folder / "analysis.js").write_text("// own")
    (folder / "index.html").write_text(PAGE)
    (folder / "beside.py").write_text("FACTOR = 10\n")
    return folder


async def check_analysis(address: str, name: str, argv: list[str], here: Path):
    """What holds in the kernel, however the script was started."""
    async with visit(address) as visitor:
        own = ["--x", "1"]
        assert await call(visitor, "where") == [name, str(here), argv, own, {"a": ["1"]}]
        assert await call(visitor, "pickle") == [7, True, "Model:"]
        for method in ("spawn", "fork", "forkserver"):
            assert await call(visitor, "pool", method) == [0, 10, 20]


@pytest.mark.parametrize("guard", ["__name__ == '__main__'", "True"], ids=["guarded", "unguarded"])
async def test_script_serves_its_class_at_the_root(guard, folder, tmp_path):
    (folder / "my-pi.py").write_text(SCRIPT.replace("GUARD", guard))
    async with serving("sub/my-pi.py", folder=tmp_path) as (address, path, printed):
        assert path == ""
        code, page = await get(address)
        assert code == 200 and "The title in red" in page and "All analyses" not in page
        assert await get(address, "files/x.txt") == (200, "x")
        assert await get(address, "static/y.txt") == (200, "y")
        assert await get(address, "analysis.js") == (200, "// own")
        assert await get(address, "static/analysis.js") == (200, "// own")
        assert await get(address, "plain") == (200, "plain")
        for hidden in ("secret.txt", "static/secret.txt", "my-pi.py", "static/beside.py"):
            assert (await get(address, hidden))[0] == 404
        await check_analysis(address, "my-pi", ["--port", "0", "--x", "1"], tmp_path)
    told = "".join(printed)
    assert "printed by __main__" in told and "pi | printed by my-pi" in told
    assert told.count("after __main__") == 1


async def test_command_serves_a_file_below_its_name(folder, tmp_path):
    (folder / "my-pi.py").write_text(SCRIPT.replace("GUARD", "__name__ == '__main__'"))
    (tmp_path / "model.pickle").write_bytes(b"")
    (tmp_path / "link.py").symlink_to(folder / "my-pi.py")
    command = ("-m", "databench", "link.py")
    async with serving(*command, folder=tmp_path) as (address, path, _):
        assert path == "link/"
        code, gallery = await get(address)
        assert code == 200 and "/link/" in gallery
        code, page = await get(address, "link/")
        assert code == 200 and "link in None" in page
        async with visit(f"{address}/link") as visitor:
            where = await call(visitor, "where")
            assert where == ["my-pi", str(tmp_path), ["--x", "1"], ["--x", "1"], {"a": ["1"]}]
            assert await call(visitor, "pool", "spawn") == [0, 10, 20]


@pytest.mark.parametrize(("file", "module"), [("page", "package.page"), ("__main__", "package")])
async def test_script_of_a_package_is_run_as_such(file, module, tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("VERSION = '1.2'\n")
    (package / f"{file}.py").write_text(
        "import databench\nfrom . import VERSION\n\n\nclass Page(databench.Analysis):\n"
        "    def on_where(self):\n        return [__name__, VERSION]\n\n\n"
        "if __name__ == '__main__':\n    databench.run(Page, __file__, info={'version': VERSION})\n"
    )
    async with (
        serving("-m", module, folder=tmp_path) as (address, _, _),
        visit(address) as visitor,
    ):
        assert await call(visitor, "where") == [f"package.{file}", "1.2"]


async def test_class_of_another_module_is_served(tmp_path):
    """As the command of an installed project does: its function calls `run`."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "views.py").write_text(
        "import databench\n\n\nclass View(databench.Analysis):\n"
        "    def on_where(self):\n        return __name__\n\n\n"
        "def main():\n    databench.run(View, __file__)\n"
    )
    (tmp_path / "start.py").write_text(
        "import sys\nsys.path.insert(0, 'lib')\nimport views\n\nviews.main()\n"
    )
    async with serving("start.py", folder=tmp_path) as (address, _, _), visit(address) as visitor:
        assert await call(visitor, "where") == "views"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import databench\n\n1 / 0\n", r"bad\.py\", line 3.*ZeroDivisionError"),
        ("import databench\n\nclass Bad(\n", r"bad\.py\", line 3.*SyntaxError"),
        ("import databench\n", r"bad\.py defines no analysis; expected a class: class Bad\("),
        (
            "from databench import Analysis as X\n\n\nclass A(X): pass\nclass B(X): pass\n",
            r"bad\.py defines 2 analyses, expected one: A \(line 4\), B \(line 5\); name one Bad",
        ),
    ],
)
async def test_script_that_cannot_be_imported_is_told(text, told, tmp_path):
    (tmp_path / "bad.py").write_text(text)
    command = ("-m", "databench", "bad.py")
    async with (
        serving(*command, folder=tmp_path) as (address, _, printed),
        visit(f"{address}/bad", find_token(printed), __received=0) as visitor,
    ):
        frames = [await visitor.read()]
        while frames[-1]["load"].get("state") != "failed":
            frames.append(await visitor.read())
        reason = json.dumps(frames[-1], ensure_ascii=False).replace('\\"', '"')
    assert re.search(told, reason, re.DOTALL)
    assert re.search(told, "".join(printed), re.DOTALL)


async def test_class_that_a_function_makes_is_refused(tmp_path):
    (tmp_path / "local.py").write_text(
        "import databench\n\n\ndef make():\n    class Pi(databench.Analysis):\n        pass\n"
        "    return Pi\n\n\ndatabench.run(make())\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "local.py"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    assert process.returncode == 1
    assert b"'Pi' is defined inside a function" in told and b"local.py" in told


async def test_what_a_script_has_put_on_the_loop_before_is_run_and_may_stop_it(tmp_path):
    """As scripts of 0.7 did, which served on `IOLoop.current()`, and their tests."""
    (tmp_path / "timed.py").write_text(
        "import databench\nimport tornado.ioloop\n\n\n"
        "class Timed(databench.Analysis):\n    pass\n\n\n"
        "def end():\n    print('ending', flush=True)\n    loop.stop()\n\n\n"
        "loop = tornado.ioloop.IOLoop.current()\nloop.call_later(0.5, end)\n"
        "databench.run(Timed, __file__)\nprint('ended')\n"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "timed.py", "--port", "0"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await asyncio.wait_for(process.communicate(), _LIMIT_S)
    assert process.returncode == 0, told
    assert told.index(b"ending") < told.index(b"ended")
    assert b"Traceback" not in told
