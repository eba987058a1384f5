"""What a stranger and an administrator may see of the server's state."""

import json
import logging

import pytest

from databench.front.handlers.status import outline
from tests.front.conftest import STATUS, TOKEN

OUTLINE = {
    "kernels": [{"state": "busy", "generation": 2, "deaths": 1}],
    "sessions": 3,
    "pages": 2,
    "dropped": 0,
}


async def ask(server, **headers):
    answer = await server.get("/status", headers=headers)
    assert answer.code == 200
    return json.loads(answer.body)


def test_outline_names_nothing():
    assert outline(STATUS) == OUTLINE
    assert STATUS["kernels"][0]["analysis"] == "x"


@pytest.mark.parametrize("debug", [True, False])
async def test_administrator_sees_everything(serve, debug):
    server = await serve(debug=debug)
    server.front.ready_to_serve.set()
    bearer = {"Authorization": f"Bearer {TOKEN}", "Cookie": ""}
    assert await ask(server, **bearer) == {"status": "ok", **STATUS}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost"},
        {"Host": "lab.example"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-Ip": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
    ],
)
@pytest.mark.parametrize("xheaders", [True, False])
@pytest.mark.parametrize("debug", [True, False])
async def test_whoever_lacks_the_token_sees_counts(serve, headers, xheaders, debug):
    server = await serve(debug=debug, allowed=("lab.example",), xheaders=xheaders)
    server.own = {}
    server.front.ready_to_serve.set()
    assert await ask(server, **headers) == {"status": "ok", **OUTLINE}


async def test_server_that_is_not_ready_says_so_and_is_alive(serve):
    server = await serve()
    answer = await server.get("/status")
    assert (answer.code, answer.reason) == (503, "Not Ready")
    assert answer.headers["Retry-After"] == "5"
    assert json.loads(answer.body) == {"status": "not ready"}
    for method in ("GET", "HEAD"):
        answer = await server.get("/status/live", method)
        assert answer.code == 200
        assert answer.headers["Cache-Control"] == "no-store"
    assert json.loads((await server.get("/status/live")).body) == {"status": "ok"}


async def test_checks_are_no_news(serve, caplog):
    caplog.set_level(logging.DEBUG, "databench")
    server = await serve()
    await server.get("/status")
    server.front.ready_to_serve.set()
    await server.get("/status")
    await server.get("/status/live")
    assert {r.levelname for r in caplog.records if "/status" in r.getMessage()} == {"DEBUG"}
