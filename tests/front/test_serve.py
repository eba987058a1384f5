"""Serving: ports, development or not, and the front over the real broker."""

import argparse
import asyncio
import dataclasses
import json
import logging
import os
import socket
import types

import pytest
import tornado.httpserver
import tornado.websocket

from databench import http
from databench.broker import Broker
from databench.cli import make_parser
from databench.config import Entry, Index, load
from databench.config.datastore import Datastore
from databench.errors import SettingError
from databench.front import serve as serving
from databench.front.access import Access
from databench.front.app import Front
from databench.front.folders import from_folder
from databench.front.hosts import Hosts
from databench.front.project import Project, specs
from databench.http.queued import queued_streams
from databench.settings import Settings

FRONT = types.SimpleNamespace(is_watched=True, access=Access("x" * 16, is_development=True))
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


@pytest.fixture
def taken():
    """A port of 127.0.0.1 that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def close(sockets):
    for bound in sockets:
        bound.close()


# ---------------------------------------------------------------- ports


@pytest.mark.parametrize(("option", "environ"), [("0", {}), (None, {"PORT": "0"})])
def test_port_is_taken_from_the_option_or_the_environment(option, environ):
    sockets = serving.listen("127.0.0.1", option, environ)
    assert sockets[0].getsockname()[1] not in (0, 5000)
    close(sockets)


def test_option_wins_over_the_environment(taken):
    close(serving.listen("127.0.0.1", "0", {"PORT": str(taken)}))


@pytest.mark.parametrize(
    ("given", "host"),
    [("[::1]", "::1"), ("::1", "::1"), ("localhost", "localhost"), ("[::1", "[::1"), ("", "")],
)
def test_an_address_may_stand_in_brackets_as_in_a_url(given, host):
    assert serving.unbracket(given) == host


@pytest.mark.parametrize("source", ["--port", "PORT"])
def test_port_that_was_asked_for_and_is_taken_is_an_error(taken, source):
    option, environ = (str(taken), {}) if source == "--port" else (None, {"PORT": str(taken)})
    with pytest.raises(SettingError) as caught:
        serving.listen("127.0.0.1", option, environ)
    assert f"port {taken} ({source}) is taken on 127.0.0.1" in str(caught.value)


@pytest.mark.expected_log(r"port \d+ is taken; serving on \d+")
def test_default_port_that_is_taken_gives_the_next_free_one(taken, monkeypatch, caplog):
    monkeypatch.setattr(serving, "DEFAULT_PORT", taken)
    sockets = serving.listen("127.0.0.1", None, {})
    got = sockets[0].getsockname()[1]
    close(sockets)
    assert taken < got < taken + serving.NEXT_PORTS
    assert f"port {taken} is taken; serving on {got}" in caplog.text


def test_all_ports_taken_is_an_error(taken, monkeypatch):
    monkeypatch.setattr(serving, "DEFAULT_PORT", taken)
    monkeypatch.setattr(serving, "NEXT_PORTS", 1)
    with pytest.raises(SettingError, match="are taken; say --port 0"):
        serving.listen("127.0.0.1", None, {})


@pytest.mark.parametrize("text", ["x", "-1", "65536", "1.5", " ", "٣"])
def test_what_is_no_port_is_an_error(text):
    with pytest.raises(SettingError, match="expected 0 to 65535"):
        serving.listen("127.0.0.1", text, {})


@pytest.mark.parametrize("port", ["0", None])
@pytest.mark.parametrize("host", ["a" * 300, "a..b", chr(0xDC80)])
def test_host_that_is_no_name_is_an_error(host, port):
    with pytest.raises(SettingError, match="no name of a host"):
        serving.listen(host, port, {})


@pytest.mark.parametrize("port", ["0", None])
def test_host_that_is_not_ours_is_an_error(port):
    with pytest.raises(SettingError, match=r"cannot listen on host '203\.0\.113\.1'"):
        serving.listen("203.0.113.1", port, {})


# ---------------------------------------------------------------- development


@pytest.mark.expected_log("unknown key 'titel'", "no kernel 'cobol'.*the others are served")
def test_problems_of_the_index_are_told(folder, caplog):
    (folder / "index.yaml").write_text("titel: T\nanalyses: [{name: x, kernel: cobol}]")
    serving._tell_problems(load(folder))
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


def project(folder):
    return Project(load(folder), {}, {}, shown=str(folder), address="x/")


@pytest.mark.parametrize(
    "path", ["static/a.db", "dice/static/a.db", "own/a.db", "node_modules/a.db"]
)
def test_datastore_among_files_that_are_given_out_is_an_error(folder, path):
    entries = {"dice": Entry("dice", folder / "dice")}
    store = Datastore(f"sqlite:///{path}", 2)
    index = Index(folder, static=(("own/(.*)", "own"),), datastore=store, entries=entries)
    with pytest.raises(SettingError, match=r"index.yaml:2: .* whose files are given out"):
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
    front = Front(index, broker, limits, hosts=Hosts("127.0.0.1"))
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
