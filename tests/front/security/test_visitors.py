"""The cookie by which a person's own sessions are found."""

import base64
import http.cookies

import pytest
import tornado.httputil
import tornado.web

from databench.front.security.visitors import Visitors, make_key

WORD = "aB3-_6789012345678901z"
VISITORS = Visitors("key", port=5000, project="0a1b2c3d")


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
    """The only cookie that a handler sets, or nothing."""
    (text, *others) = handler._headers.get_list("Set-Cookie") or [""]
    (morsel, *more) = http.cookies.SimpleCookie(text).values() or [None]
    assert not (others or more)
    return morsel


def _encoded(word):
    return base64.b64encode(word.encode()).decode()


def sent(visitors, scheme="http"):
    """What a browser sends that was given a word, and the word."""
    handler = make(scheme=scheme)
    visitors.give(handler)
    morsel = given(handler)
    cookie = f"{morsel.key}={morsel.coded_value}"
    return cookie, visitors.find(make(cookie, scheme))


@pytest.mark.parametrize(("scheme", "prefix"), [("http", ""), ("https", "__Host-")])
def test_a_browser_gets_a_word_that_scripts_and_other_sites_do_not_get(scheme, prefix):
    handler = make(scheme=scheme)
    VISITORS.give(handler)
    morsel = given(handler)
    assert morsel.key.startswith(f"{prefix}5000_")
    assert morsel.key.endswith("_0a1b2c3d_databench_person")
    assert morsel["httponly"]
    assert morsel["samesite"] == "Lax"
    assert (morsel["path"], morsel["domain"]) == ("/", "")
    assert bool(morsel["secure"]) is (scheme == "https")


def test_a_word_is_known_again_and_kept():
    cookie, word = sent(VISITORS)
    assert len(word) == 22
    assert VISITORS.find(make(f"other=1; {cookie}")) == word
    again = make(cookie)
    VISITORS.give(again)
    assert given(again) is None
    assert sent(VISITORS)[1] != word


def test_with_the_same_key_a_later_server_knows_it():
    cookie, word = sent(VISITORS)
    later = Visitors("key", port=5000, project="0a1b2c3d")
    assert later.find(make(cookie)) == word


@pytest.mark.parametrize(
    "other",
    [
        Visitors("key", port=5001, project="0a1b2c3d"),
        Visitors("key", port=5000, project="ffffffff"),
        Visitors("another key", port=5000, project="0a1b2c3d"),
    ],
    ids=["port", "project", "key"],
)
def test_another_server_knows_nobody(other):
    cookie, _word = sent(VISITORS)
    _name, _, value = cookie.partition("=")
    for name in (VISITORS.name(make()), other.name(make())):
        assert other.find(make(f"{name}={value}")) == ""


def test_a_word_that_this_server_did_not_make_is_nobodys():
    name = VISITORS.name(make())
    signed = tornado.web.create_signed_value(make_key(), name, WORD).decode()
    cookie, word = sent(VISITORS)
    for value in (WORD, signed, cookie.partition("=")[2].replace(*map(_encoded, (word, WORD)))):
        handler = make(f"{name}={value}")
        assert VISITORS.find(handler) == ""
        VISITORS.give(handler)
        assert given(handler) is not None


def test_a_cookie_of_one_scheme_is_none_of_the_other():
    cookie, _word = sent(VISITORS)
    assert VISITORS.find(make(cookie, "https")) == ""
    assert VISITORS.find(make("__Host-" + cookie, "https")) == ""


@pytest.mark.parametrize("junk", ["", "short", "x" * 5000, '"a b"', "2|1:0|10:1|1:a|1:b|c", "é|"])
def test_what_is_no_such_word_is_nobody_and_gets_a_new_one(junk):
    handler = make(f"{VISITORS.name(make())}={junk}")
    assert VISITORS.find(handler) == ""
    VISITORS.give(handler)
    assert given(handler) is not None


def test_a_signed_word_that_is_none_is_not_taken():
    name = VISITORS.name(make())
    for word in ("", "short", WORD + "x", "é" * 22):
        signed = tornado.web.create_signed_value("key", name, word).decode()
        assert VISITORS.find(make(f"{name}={signed}")) == ""


async def test_pages_of_analyses_give_it_and_the_websocket_tells_it(serve):
    front = await serve()
    page = await front.get("/x/")
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    assert "Set-Cookie" not in (await front.get("/")).headers
    again = await front.get("/x/", headers={"Cookie": cookie})
    assert "Set-Cookie" not in again.headers
    await front.connect(Cookie=cookie)
    assert len(front.broker.pages[-1].visitor) == 22
    await front.connect(Cookie=cookie.partition("=")[0] + "=" + WORD)
    assert front.broker.pages[-1].visitor == ""


@pytest.fixture
def decoded(monkeypatch):
    """The signed values whose signature was checked."""
    values = []
    decode = tornado.web.decode_signed_value
    monkeypatch.setattr(
        tornado.web,
        "decode_signed_value",
        lambda key, name, value, **given: values.append(value) or decode(key, name, value, **given),
    )
    return values


def test_a_signature_is_checked_once_in_an_hour(decoded, monkeypatch):
    visitors = Visitors("key", port=5000, project="0a1b2c3d")
    now_s = 100.0
    monkeypatch.setattr("databench.front.security.visitors.time.monotonic", lambda: now_s)
    cookie, word = sent(visitors)
    for _ in range(3):
        assert visitors.find(make(cookie)) == word
    assert len(decoded) == 1
    now_s += 3601.0
    assert visitors.find(make(cookie)) == word
    assert len(decoded) == 2


def test_a_checked_word_is_none_under_another_name_or_with_another_end(decoded):
    visitors = Visitors("key", port=5000, project="0a1b2c3d")
    cookie, word = sent(visitors)
    assert visitors.find(make(cookie)) == word
    assert visitors.find(make(cookie[:-1] + ("0" if cookie[-1] != "0" else "1"))) == ""
    assert visitors.find(make(f"__Host-{cookie}", "https")) == ""
    assert visitors.find(make(cookie)) == word


def test_junk_and_crowds_are_not_remembered_without_end(monkeypatch):
    monkeypatch.setattr("databench.front.security.visitors._KNOWN", 3)
    visitors = Visitors("key", port=5000, project="0a1b2c3d")
    for _ in range(5):
        visitors.find(make(f"{visitors.name(make())}=2|1:0|10:1|1:a|1:b|c"))
        assert sent(visitors)[1]
    assert len(visitors._known) == 3


def test_words_are_signed_as_tornado_does(monkeypatch):
    monkeypatch.setattr("databench.front.security.visitors.time.time", lambda: 1234567890.5)
    monkeypatch.setattr("databench.front.security.visitors.secrets.token_urlsafe", lambda _: WORD)
    cookie, word = sent(VISITORS)
    name, _, signed = cookie.partition("=")
    assert word == WORD
    made = tornado.web.create_signed_value("key", name, WORD, clock=lambda: 1234567890.5)
    assert signed == made.decode()
