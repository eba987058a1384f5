"""The cookie by which a person's own sessions are found."""

import http.cookies

import pytest
import tornado.httpclient
import tornado.httputil
import tornado.web

from databench.front import person

WORD = "aB3-_6789012345678901z"


def make(cookie="", scheme="http"):
    """A handler for a request with this cookie."""
    headers = tornado.httputil.HTTPHeaders({"Host": "here", "Cookie": cookie})
    line = tornado.httputil.RequestStartLine("GET", "/", "HTTP/1.1")
    request = tornado.httputil.HTTPServerRequest(headers=headers, start_line=line)
    request.protocol = scheme

    class Connection:
        def set_close_callback(self, _callback):
            pass

    request.connection = Connection()
    return tornado.web.RequestHandler(tornado.web.Application(), request)


def given(handler):
    cookies = getattr(handler, "_new_cookie", http.cookies.SimpleCookie())
    return cookies.get(person.COOKIE)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_browser_gets_a_word_that_scripts_and_other_sites_do_not_get(scheme):
    handler = make(scheme=scheme)
    person.give(handler)
    morsel = given(handler)
    assert len(morsel.value) == 22
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert morsel["path"] == "/"
    assert bool(morsel["secure"]) is (scheme == "https")
    other = make()
    person.give(other)
    assert given(other).value != morsel.value


def test_a_word_that_is_there_is_kept():
    handler = make(f"{person.COOKIE}={WORD}")
    assert person.find(handler) == WORD
    person.give(handler)
    assert given(handler) is None


@pytest.mark.parametrize("junk", ["", "short", "x" * 5000, '"a b"', WORD + "x"])
def test_what_is_no_such_word_is_nobody_and_gets_a_new_one(junk):
    handler = make(f"{person.COOKIE}={junk}")
    assert person.find(handler) == ""
    person.give(handler)
    assert len(given(handler).value) == 22


async def test_pages_of_analyses_give_it_and_the_websocket_tells_it(serve):
    front = await serve()
    page = await front.get("/x/")
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    assert cookie.startswith(f"{person.COOKIE}=")
    assert "Set-Cookie" not in (await front.get("/")).headers
    again = await front.get("/x/", headers={"Cookie": cookie})
    assert "Set-Cookie" not in again.headers
    await front.connect(Cookie=cookie)
    assert front.broker.pages[-1].person == cookie.partition("=")[2]
