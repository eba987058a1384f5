"""`/_kernels`: who may look, and what a page that looks may ask."""

import asyncio
import json

import pytest
import tornado.httpclient
import tornado.websocket

from tests.front.conftest import STATUS, TOKEN

JSON = {"Accept": "application/json"}


async def look(served, **headers):
    request = tornado.httpclient.HTTPRequest(
        f"ws://{served.address}/_kernels/ws", headers={**served.own, **headers}
    )
    page = await tornado.websocket.websocket_connect(request)
    served.keep(page)
    await page.write_message('{"__connect": null, "__received": 0}')
    return page


async def read(page):
    frame = json.loads(await page.read_message())
    return frame["signal"], frame["load"]


async def join(served):
    page = await look(served)
    assert (await read(page))[0] == "__connect"
    return page, (await read(page))[1]


async def test_page_is_a_template_and_programs_get_json(serve):
    served = await serve()
    answer = await served.get("/_kernels")
    assert (answer.code, answer.headers["Vary"]) == (200, "Accept,Accept-Encoding")
    assert b"<title>Kernels</title>" in answer.body
    answer = await served.get("/_kernels", headers=JSON)
    told = json.loads(answer.body)
    assert answer.headers["Cache-Control"] == "no-store"
    assert told["kernels"] == [{"kernel": "k1.2", **STATUS["kernels"][0], "address": "/x/"}]


@pytest.mark.expected_log("/_kernels(/ws)? 403")
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "lab.example"])
async def test_who_lacks_the_token_hears_where_to_find_it(serve, debug, host):
    served = await serve(debug=debug, allowed=("lab.example",))
    served.own = {"Host": host}
    answer = await served.get("/_kernels")
    assert answer.code == 403
    assert (b"the terminal shows" if debug else b"--admin-token") in answer.body
    answer = await served.get("/_kernels", headers=JSON)
    assert answer.code == 403
    assert json.loads(answer.body)["project"] == "0a1b2c3d"
    with pytest.raises(tornado.httpclient.HTTPClientError) as caught:
        await look(served)
    assert caught.value.code == 403


async def test_administrator_has_the_page_in_production(serve):
    served = await serve(debug=False)
    served.own = {"Authorization": f"Bearer {TOKEN}"}
    assert (await served.get("/_kernels")).code == 200
    assert (await served.get("/_kernels", headers=JSON)).code == 200
    _page, kernels = await join(served)
    assert kernels[0]["pid"] == 4711


@pytest.mark.expected_log("/_kernels/ws 403")
async def test_page_of_another_site_is_refused(serve):
    served = await serve()
    with pytest.raises(tornado.httpclient.HTTPClientError) as caught:
        await look(served, Origin="http://elsewhere.example")
    assert caught.value.code == 403
    page = await look(served, Origin=f"http://{served.address}")
    assert (await read(page))[0] == "__connect"


@pytest.mark.expected_log("(POST|PUT|DELETE) /_kernels")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_no_request_changes_anything(serve, method):
    served = await serve()
    answer = await served.raw(
        f"{method} /_kernels?restart=k1.2 HTTP/1.0\nHost: localhost\nContent-Length: 0\n\n"
    )
    assert " 405 " in answer.split("\r\n")[0]
    assert served.broker.count("command_kernel") == 0


@pytest.mark.slow
async def test_page_that_looks_is_told_again_each_second(serve):
    served = await serve()
    page, kernels = await join(served)
    assert kernels[0]["address"] == "/x/"
    assert await read(page) == ("kernels", kernels)


async def test_command_is_carried_out_and_what_follows_told(serve):
    served = await serve()
    page, kernels = await join(served)
    await page.write_message('{"signal": "restart", "load": {"kernel": "k1.2"}}')
    assert await read(page) == ("kernels", kernels)
    assert served.broker.calls[-1] == ("command_kernel", "k1.2", "restart")


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ('{"signal": "stop", "load": {"kernel": "k1.1"}}', "has already ended"),
        ('{"signal": "stop", "load": "k1.2"}', "'stop' names no kernel"),
        ('{"signal": "stop"}', "'stop' names no kernel"),
        ("junk", "not understood"),
    ],
)
async def test_what_cannot_be_done_is_told(serve, message, problem):
    served = await serve()
    page, _ = await join(served)
    await page.write_message(message)
    signal, load = await read(page)
    while signal == "kernels":  # a second may have passed
        signal, load = await read(page)
    assert signal == "error"
    assert problem in load


async def test_closed_with_the_server(serve):
    served = await serve()
    page, _ = await join(served)
    assert len(served.context.lookers) == 1
    served.context.lookers.close_all(1001, "the server stops")
    while await page.read_message() is not None:
        pass
    assert page.close_code == 1001


async def test_page_that_is_gone_is_forgotten(serve):
    served = await serve()
    page, _ = await join(served)
    (looks,) = served.context.lookers
    gone = asyncio.Event()
    on_close = looks.on_close
    looks.on_close = lambda: (on_close(), gone.set())
    page.close()
    await asyncio.wait_for(gone.wait(), 5)
    assert not served.context.lookers
