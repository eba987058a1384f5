"""`/_reload`: open where files are watched, to pages of this server."""

import json

import pytest
import tornado.httpclient
import tornado.websocket


async def follow(served, **headers):
    request = tornado.httpclient.HTTPRequest(f"ws://{served.address}/_reload", headers=headers)
    page = await tornado.websocket.websocket_connect(request)
    served.keep(page)
    return page


async def test_page_joins_and_gets_what_is_announced(serve):
    served = await serve()
    served.context.is_watched = True
    page = await follow(served)
    await page.write_message('{"__connect": null, "__received": 0}')
    assert json.loads(await page.read_message())["load"]["at"] == 0
    served.context.followers.announce(b'{"signal":"__reload"}')
    assert await page.read_message() == '{"signal":"__reload"}'


async def test_page_hears_what_it_was_too_late_for(serve):
    served = await serve()
    served.context.is_watched = True
    saves = served.context.saves
    count = saves.count
    saves.add(["/", "/x/"])
    saves.add(["/y/"])
    for said, paths in ((count, ["/", "/x/", "/y/"]), (count + 1, ["/y/"])):
        page = await follow(served)
        await page.write_message(json.dumps({"__connect": None, "__saves": said}))
        await page.read_message()
        load = json.loads(await page.read_message())["load"]
        assert load == {"paths": paths, "saves": count + 2, "missed": True}


async def test_a_page_that_talks_on_is_answered_once(serve):
    served = await serve()
    served.context.is_watched = True
    page = await follow(served)
    for message in ("", b"\xff", "{", "[" * 1000, '{"__connect": null}'):
        await page.write_message(message, binary=isinstance(message, bytes))
    page.close()  # the server takes it after all that was sent before it
    said = []
    while (message := await page.read_message()) is not None:
        said.append(json.loads(message)["signal"])
    assert said == ["__connect"]


@pytest.mark.expected_log("/_reload (403|404)")
@pytest.mark.parametrize(
    ("is_watched", "headers", "code"),
    [(False, {}, 404), (True, {"Origin": "http://elsewhere.example"}, 403)],
)
async def test_refused_where_nothing_is_watched_and_to_other_sites(
    serve, is_watched, headers, code
):
    served = await serve()
    served.context.is_watched = is_watched
    with pytest.raises(tornado.httpclient.HTTPClientError) as caught:
        await follow(served, **headers)
    assert caught.value.code == code


async def test_closed_with_the_server(serve):
    served = await serve()
    served.context.is_watched = True
    page = await follow(served)
    served.context.followers.close_all(1001, "the server stops")
    assert await page.read_message() is None
    assert page.close_code == 1001
