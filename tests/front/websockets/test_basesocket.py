"""What the front's websockets share: sizes, and the words of pages without a session."""

import asyncio
import json

import pytest
import tornado.httpclient
import tornado.websocket

from databench.front.websockets.basesocket import OwnSocket

PATHS = ["/_reload", "/_kernels/ws"]


async def join(served, path, message='{"__connect": null}'):
    served.context.is_watched = True
    address = f"ws://{served.address}{path}"
    request = tornado.httpclient.HTTPRequest(address, headers=served.own)
    page = await tornado.websocket.websocket_connect(request)
    served.keep(page)
    await page.write_message(message)
    return page


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_without_a_session_is_answered_as_by_a_new_one(serve, path):
    served = await serve()
    page = await join(served, path)
    load = json.loads(await page.read_message())["load"]
    assert (load["analysis_id"], load["at"], load["resumed"]) == ("", 0, False)
    assert load["epoch"] == served.context.epoch


@pytest.mark.parametrize("path", PATHS)
async def test_its_messages_may_be_small_alone(serve, path):
    served = await serve()
    page = await join(served, path, " " * 65537)
    while await page.read_message() is not None:
        pass
    assert (page.close_code, page.close_reason) == (1009, "message of 65537 bytes, limit 65536")


async def test_an_analysis_page_may_send_what_the_setting_says(serve):
    served = await serve(page_message_bytes=1000)
    page = await served.connect()
    await page.write_message(" " * 1001)
    while await page.read_message() is not None:
        pass
    assert (page.close_code, page.close_reason) == (1009, "message of 1001 bytes, limit 1000")


@pytest.mark.expected_log(" 403 ")
@pytest.mark.parametrize("path", PATHS)
async def test_pages_of_other_servers_are_refused(serve, path):
    served = await serve()
    served.own["Origin"] = "http://elsewhere.example"
    with pytest.raises(tornado.httpclient.HTTPClientError) as caught:
        await join(served, path)
    assert caught.value.code == 403


class Written(OwnSocket):
    """Without a connection: notes what is written."""

    def __init__(self):
        self.initialize()
        self.frames = []

    def write_message(self, message, binary=False):
        if message == b"gone":
            raise tornado.websocket.WebSocketClosedError
        self.frames.append(message)
        self.future = asyncio.get_running_loop().create_future()
        return self.future


async def test_a_page_that_takes_nothing_is_shown_the_latest_alone():
    socket = Written()
    socket.show(b"1")
    socket.show(b"2")
    socket.tell(b"told")  # whatever it has taken
    assert socket.frames == [b"1", b"told"]
    first = socket._shown
    first.set_result(None)
    socket.show(b"3")
    assert socket.frames == [b"1", b"told", b"3"]


async def test_a_page_that_is_gone_is_told_nothing():
    socket = Written()
    socket.tell(b"gone")
    assert socket.frames == []
