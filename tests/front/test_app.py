"""The application: hosts, headers, its life, and what the broker is told of the analyses."""

import inspect
from pathlib import Path
from types import SimpleNamespace

import pytest
import tornado.ioloop

from databench import broker as broker_package
from databench import http
from databench.config import load
from databench.errors import SettingError
from databench.front.app import Front
from databench.front.context import FrontContext
from databench.front.folders import from_folder
from databench.front.security.hosts import Hosts
from databench.front.startup.project import specs
from databench.protocol.budget import Budget
from databench.settings import Settings

PATHS = ["/", "/x/", "/x/static/a.txt", "/x/ws", "/gone", "/_static/databench.js", "/favicon.ico"]
BROKER = SimpleNamespace(budget=Budget(2**30))  # of a front that is not started


@pytest.mark.expected_log(" 403 ")
@pytest.mark.parametrize("path", PATHS)
async def test_foreign_host_gets_nothing(serve, path):
    server = await serve()
    answer = await server.get(path, headers={"Host": "evil.example"})
    assert answer.code == 403
    assert "evil.example" in answer.body.decode()
    assert "--allow-host" in answer.body.decode()


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:5000"])
async def test_loopback_host_is_answered(serve, host):
    server = await serve()
    assert (await server.get("/", headers={"Host": host})).code == 200


async def test_allowed_host_is_answered(serve):
    server = await serve(allowed=("lab.example",))
    assert (await server.get("/", headers={"Host": "lab.example:80"})).code == 200


@pytest.mark.expected_log(" 403 ")
async def test_forwarded_host_is_never_believed(serve):
    server = await serve(xheaders=True, allowed=("lab.example",))
    headers = {"Host": "evil.example", "X-Forwarded-Host": "lab.example"}
    assert (await server.get("/", headers=headers)).code == 403


@pytest.mark.parametrize(("xheaders", "address"), [(False, b"127.0.0.1"), (True, b"192.0.2.7")])
async def test_forwarded_address_is_believed_only_when_told(serve, folder, xheaders, address):
    (folder / "x" / "index.html").write_text("{{ request.remote_ip }}")
    server = await serve(xheaders=xheaders)
    for header in ("X-Forwarded-For", "X-Real-Ip"):
        answer = await server.get("/x/", headers={header: "192.0.2.7"})
        assert answer.body == address


@pytest.mark.expected_log(" (403|404|405) ")
@pytest.mark.parametrize("path", ["/", "/x/", "/x", "/gone", "/x/analysis.py", "/_static/logo.svg"])
async def test_each_answer_has_the_headers(serve, path):
    server = await serve()
    for headers in ({}, {"Host": "evil.example"}):
        answer = await server.get(path, headers=headers)
        assert answer.headers["Server"] == "Databench"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert answer.headers["Content-Security-Policy"].startswith(
            "object-src 'none'; base-uri 'self'; frame-ancestors 'self'"
        )
        assert answer.headers["Referrer-Policy"] == "same-origin"


async def test_broker_starts_and_stops_with_the_application(serve):
    server = await serve()
    assert await server.front.start(tornado.ioloop.IOLoop.current())
    await server.front.drain(5)
    assert [call[0] for call in server.broker.calls] == ["start", "wind_down", "stop"]


async def test_broker_that_did_not_start_is_not_stopped(serve):
    server = await serve()
    await server.front.drain(5)
    assert server.broker.calls == []


async def test_pages_are_closed_at_the_end(serve):
    server = await serve()
    page = await server.connect()
    assert await server.front.shut_down(5)
    assert await page.read_message() is None
    assert (page.close_code, page.close_reason) == (1001, "the server stops")


def test_broker_is_told_of_the_analyses_that_can_run(folder):
    (folder / "y").mkdir()
    (folder / "index.yaml").write_text(
        "analyses: [{name: x, version: 2.0}, {name: y, kernel: cobol}]"
    )
    told = specs(load(folder), from_folder(folder))
    assert list(told) == ["x"]
    assert told["x"].folder == folder / "x"
    assert told["x"].root == folder.parent
    assert told["x"].module == "analyses.x.analysis"
    assert (told["x"].kernel, told["x"].version) == ("py", "2.0")


@pytest.mark.parametrize(
    "name",
    ["start", "wind_down", "stop", "status", "join", "receive", "complain", "delivered", "leave"],
)
async def test_fake_and_real_broker_take_what_the_front_gives(serve, name):
    fake = type((await serve()).broker)
    taken = inspect.signature(getattr(fake, name)).parameters
    assert list(taken) == list(inspect.signature(getattr(broker_package.Broker, name)).parameters)


def test_front_is_asked_for_several_processes_in_vain(folder):
    front = Front(FrontContext(load(folder), BROKER, Settings()), hosts=Hosts("127.0.0.1"))
    with pytest.raises(SettingError, match="is 4, limit 1: the front is one process, because"):
        http.Runner(front).run(0, 4)


async def test_application_is_one_of_http(folder):
    front = Front(FrontContext(load(folder), BROKER, Settings()), hosts=Hosts("127.0.0.1"))
    assert isinstance(front, http.Application)
    assert isinstance(front.context.index.folder, Path)


async def test_a_new_index_changes_what_is_served(serve, folder):
    server = await serve()
    (folder / "y").mkdir()
    (folder / "y" / "analysis.py").write_text("")
    (folder / "index.yaml").write_text("title: Lab\nanalyses: [{name: y, title: New}]")
    server.front.swap(load(folder))
    gallery = (await server.get("/")).body.decode()
    assert "<title>Lab</title>" in gallery
    assert 'href="/y/"' in gallery
    assert 'href="/x/"' not in gallery
    assert (await server.get("/y/")).code == 200


async def test_an_index_that_cannot_be_read_keeps_the_old_one_and_the_gallery_says_why(
    serve, folder
):
    (folder / "index.yaml").write_text("title: Lab\nstatic: {s/(.*): x/static}\nanalyses: [x]")
    (folder / "x" / "static" / "a.txt").write_text("a")
    server = await serve()
    (folder / "index.yaml").write_text("title: Other\nanalyses: [x\n")
    server.front.swap(load(folder))
    gallery = (await server.get("/")).body.decode()
    assert "<title>Lab</title>" in gallery
    assert "index.yaml:3: this is not YAML" in gallery
    assert (await server.get("/s/a.txt")).body == b"a"
    (folder / "index.yaml").write_text("title: Other\nanalyses: [x]\n")
    server.front.swap(load(folder))
    assert "not YAML" not in (await server.get("/")).body.decode()


@pytest.mark.expected_log("settings have changed; restart Databench")
async def test_changed_settings_wait_for_the_next_start(serve, folder, caplog):
    server = await serve()
    before = server.context.limits
    (folder / "index.yaml").write_text("settings: {session_grace_s: 5}")
    server.front.swap(load(folder))
    assert server.context.limits is before
    assert "restart Databench" in caplog.text
