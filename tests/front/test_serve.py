"""Serving: development or not, and the front over the real broker."""

import argparse
import asyncio
import dataclasses
import json
import logging
import os
import types

import pytest
import tornado.httpserver
import tornado.websocket

from databench import http
from databench.broker import Broker
from databench.cli import make_parser
from databench.config import Entry, Index, load
from databench.config.datastore import DatastoreChoice
from databench.errors import SettingError
from databench.front import serve as serving
from databench.front.app import Front
from databench.front.context import FrontContext
from databench.front.folders import from_folder
from databench.front.security.access import Access
from databench.front.security.hosts import Hosts
from databench.front.startup.project import Project, specs
from databench.http.queued import queued_streams
from databench.settings import Settings

RIGHT = Access("x" * 16, is_development=True)
FRONT = types.SimpleNamespace(context=types.SimpleNamespace(is_watched=True, access=RIGHT))
ANALYSIS = """
import databench


class X(databench.Analysis):
    @databench.on
    def echo(self, value):
        yield self.emit('echo', value)

    @databench.on
    async def stream(self, n):
        for i in range(n):
            await self.emit('n', i)
"""


# ---------------------------------------------------------------- development


@pytest.mark.expected_log("unknown key 'titel'", "no kernel 'cobol'.*the other analyses are served")
def test_problems_of_the_index_are_told(folder, caplog):
    (folder / "index.yaml").write_text("titel: T\nanalyses: [{name: x, kernel: cobol}]")
    serving._tell_problems(load(folder))
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


@pytest.mark.expected_log("'my analysis' in .* is not served", "'b c' in .* is not served")
def test_problem_is_told_once_and_not_at_each_look(folder, caplog):
    (folder / "my analysis").mkdir()
    (folder / "my analysis" / "analysis.py").touch()
    before = load(folder)
    serving._tell_problems(before)
    (folder / "b c").mkdir()
    (folder / "b c" / "analysis.py").touch()
    serving._tell_problems(load(folder), before=before)
    serving._tell_problems(load(folder), before=load(folder))
    assert caplog.text.count("is not served") == 2


def project(folder):
    return Project(load(folder), {}, {}, shown=str(folder), address="x/")


@pytest.mark.parametrize(
    "path", ["static/a.db", "dice/static/a.db", "own/a.db", "node_modules/a.db"]
)
def test_datastore_among_files_that_are_given_out_is_an_error(folder, path):
    entries = {"dice": Entry("dice", folder / "dice")}
    store = DatastoreChoice(f"sqlite:///{path}", 2)
    index = Index(folder, static=(("own/(.*)", "own"),), datastore=store, entries=entries)
    with pytest.raises(SettingError, match=r"index.yaml:2: .* whose files pages can load"):
        serving._open_store(index)
    assert serving._open_store(Index(folder)) is None


def test_address_is_told(folder, capsys):
    for host, shown in (
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "localhost"),
        ("::1", "[::1]"),
        ("::", "[::1]"),  # localhost may be 127.0.0.1, where such a socket does not listen
    ):
        serving._teller(project(folder), host, [("http", 5001)])(FRONT, None)
        assert f"http://{shown}:5001/x/?token={'x' * 16} " in capsys.readouterr().out


def test_address_that_nobody_reads_is_no_reason_not_to_serve(folder, monkeypatch):
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as nobody:
        monkeypatch.setattr("sys.stdout", nobody)
        with queued_streams():
            serving._teller(project(folder), "127.0.0.1", [("http", 5001)])(FRONT, None)


def test_address_of_a_folder_with_an_odd_name_steers_no_terminal(folder, capsys):
    odd = dataclasses.replace(project(folder), shown="a\x1b[2Jb\nc")
    serving._teller(odd, "127.0.0.1", [("http", 5001)])(FRONT, None)
    assert "ab c\n  http://127.0.0.1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--trace-kernel", "xx"], "--trace-kernel is 'xx', .* no such analysis; did you mean 'x'"),
        (["--trace-kernel", "quux"], "--trace-kernel is 'quux', and there is no such analysis$"),
        (["--trace-file", "t.log"], "--trace-file without --trace-kernel NAME"),
        (["--trace-kernel", "x", "--trace-file", "/no/t.log"], "cannot be written: No such file"),
    ],
)
def test_a_trace_that_cannot_be_made_is_an_error(folder, words, problem):
    (folder / "index.yaml").write_text("analyses: [{name: x}]")
    options = make_parser().parse_args(words)
    with pytest.raises(SettingError, match=problem):
        serving._begin_log(options, load(folder), Settings())


def test_options_have_all_that_serve_reads():
    options = make_parser().parse_args([])
    assert isinstance(options, argparse.Namespace)
    for name in (
        "host",
        "port",
        "analyses",
        "log",
        "allow_host",
        "xheaders",
        "debug",
        "admin_token",
    ):
        assert hasattr(options, name)


# ---------------------------------------------------------------- over the real broker


@pytest.fixture
async def real(folder):
    """A front over the real broker."""
    (folder / "x" / "analysis.py").write_text(ANALYSIS)
    index, limits = load(folder), Settings()
    broker = Broker(specs(index, from_folder(folder)), limits, debug=True)
    front = Front(FrontContext(index, broker, limits), hosts=Hosts("127.0.0.1"))
    await broker.start()
    server = tornado.httpserver.HTTPServer(front)
    sockets = http.bind("127.0.0.1", 0)
    server.add_sockets(sockets)
    clients = []

    async def connect(hello='{"__connect": null}', before=()):
        port = sockets[0].getsockname()[1]
        page = await tornado.websocket.websocket_connect(f"ws://127.0.0.1:{port}/x/ws")
        clients.append((page, page.protocol.stream))
        for junk in before:
            await page.write_message(junk)
            assert json.loads(await page.read_message())["signal"] == "error"
        await page.write_message(hello)
        answer = json.loads(await page.read_message())
        assert answer["signal"] == "__connect"
        return page, answer["load"]

    yield connect
    for page, _ in clients:
        page.close()
    server.stop()
    await broker.stop()
    for _ in range(1000):
        if all(stream.closed() for _, stream in clients):
            break
        await asyncio.sleep(0.005)


async def read_until(page, word):
    """Frames up to the first that holds the word."""
    frames = []
    while not frames or word not in frames[-1]:
        frames.append(await asyncio.wait_for(page.read_message(), 20))
        assert frames[-1] is not None, frames
    return frames


@pytest.mark.process
@pytest.mark.slow
async def test_action_is_answered_by_the_kernel(real):
    page, _ = await real()
    await page.write_message('{"signal": "echo", "load": {"value": "π", "__process_id": 7}}')
    frames = await read_until(page, '"end"')
    assert '{"signal":"echo","load":"π"}' in frames
    assert json.loads(frames[-1])["load"]["outcome"] == "done"


@pytest.mark.process
@pytest.mark.slow
async def test_stream_arrives_whole_and_in_order(real):
    page, _ = await real()
    await page.write_message('{"signal": "stream", "load": {"n": 5000, "__process_id": 7}}')
    frames = [json.loads(frame) for frame in await read_until(page, '"end"')]
    assert [f["load"] for f in frames if f["signal"] == "n"] == list(range(5000))


@pytest.mark.process
@pytest.mark.slow
async def test_junk_is_answered_and_the_session_goes_on(real):
    page, _ = await real()
    await page.write_message("{")
    assert "not understood" in (await read_until(page, '"error"'))[-1]
    await page.write_message('{"signal": "echo", "load": 3}')
    assert (await read_until(page, '"echo"'))[-1] == '{"signal":"echo","load":3}'


@pytest.mark.process
@pytest.mark.slow
async def test_junk_before_connect_is_answered_and_the_page_can_still_connect(real):
    page, _ = await real(before=["{", '{"signal": "echo"}', '{"__cancel": 7}'])
    await page.write_message('{"signal": "echo", "load": 3}')
    assert (await read_until(page, '"echo"'))[-1] == '{"signal":"echo","load":3}'


@pytest.mark.process
@pytest.mark.slow
async def test_page_that_comes_back_has_its_session(real):
    page, first = await real()
    await page.write_message('{"signal": "echo", "load": 3}')
    await read_until(page, '"echo"')
    page.close()
    _, again = await real(json.dumps({"__connect": first["analysis_id"]}))
    assert (again["analysis_id"], again["resumed"]) == (first["analysis_id"], True)
    _, other = await real('{"__connect": "nobody"}')
    assert other["resumed"] is False
