"""Links of sessions: exchanged for a ticket, taken out of addresses, hidden in logs."""

import http.cookies
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databench.front.security.sessionlinks import (
    Tickets,
    hide_sessions,
    session_in,
    without_session,
)
from databench.settings import Settings

KEY = "Zk3_aB-45678901234567x"


@pytest.mark.parametrize(
    ("query", "session", "rest"),
    [
        ("", None, ""),
        ("a=1&b", None, "a=1&b"),
        (f"session={KEY}", KEY, ""),
        (f"a=1&session={KEY}&b=%20", KEY, "a=1&b=%20"),
        (f"%73ess%69on={KEY}", KEY, ""),
        ("session=a%2Bb", "a+b", ""),
        ("session=&a=1", None, "a=1"),
        ("session", None, ""),
        (f"mysession={KEY}", None, f"mysession={KEY}"),
    ],
)
def test_the_word_is_found_and_taken_out(query, session, rest):
    assert session_in(query) == session
    assert without_session(query) == rest


@pytest.mark.parametrize(
    "line",
    [
        "GET /pi/?session=KEY 200 1.0 ms",
        "GET /pi/?a=1&session=KEY&b=2 200",
        "GET /pi/ws?session=KEY 101",
        "GET /pi/?SESSION=KEY",
        "GET /pi/?%73%65%73%73%69%6F%6e=KEY",
        "GET /login?next=%2Fpi%2F%3Fsession%3DKEY 302",
        "GET /login?next=%252Fpi%252F%253Fa%253D1%2526session%253DKEY 302",
        "HTTPServerRequest(uri='/pi/?session=KEY', method='GET')",
        'referer "http://here/pi/?session=KEY"',
        "GET /?x&session=KEY;KEY2#top",
    ],
)
def test_a_key_cannot_be_read_in_a_line_of_a_log(line):
    shown = hide_sessions(line.replace("KEY", KEY).replace(f"{KEY}2", ""))
    assert KEY not in shown
    assert shown.replace("…", "KEY").startswith(line.partition(";")[0])


def test_other_lines_stay_as_they_are():
    for line in ("a session=5 of mine", "GET /pi/?sessions=5", "session='x'", "GET /?mysession=1"):
        assert hide_sessions(line) == line


@given(
    st.text(), st.text(st.characters(exclude_characters="&;#\"'<>…", exclude_categories=["Z", "C"]))
)
def test_nothing_but_the_key_is_hidden(before, key):
    line = f"{before}?session={key}&a=1"
    shown = hide_sessions(line)
    assert shown.endswith("&a=1")
    assert shown.count("…") >= bool(key)


# -- tickets


def test_a_ticket_holds_once():
    tickets = Tickets(Settings())
    tickets.put("t", "s", 10.0)
    assert tickets.take("u", 10.0) is None
    assert tickets.take("t", 11.0) == "s"
    assert tickets.take("t", 11.0) is None


def test_a_ticket_holds_for_a_time():
    tickets = Tickets(Settings(session_link_s=5.0))
    tickets.put("t", "s", 10.0)
    tickets.put("u", "s", 12.0)
    assert tickets.take("t", 15.0) is None
    assert tickets.take("u", 15.0) == "s"
    tickets.put("v", "s", 12.0)
    tickets.put("w", "s", 20.0)
    assert len(tickets) == 1  # what holds no more is not kept


def test_one_session_does_not_push_out_the_tickets_of_others():
    tickets = Tickets(Settings(session_links=10, session_links_each=3))
    tickets.put("mine", "s", 0.0)
    for number in range(50):
        tickets.put(f"t{number}", "other", 0.0)
    assert len(tickets) == 4
    assert tickets.take("mine", 1.0) == "s"
    assert [n for n in range(50) if tickets.take(f"t{n}", 1.0)] == [47, 48, 49]


def test_sessions_that_have_many_tickets_push_out_their_own():
    tickets = Tickets(Settings(session_links=10, session_links_each=5))
    tickets.put("mine", "s", 0.0)
    for number in range(60):
        tickets.put(f"t{number}", f"other{number % 4}", 0.0)
    assert len(tickets) == 10
    assert tickets.take("mine", 1.0) == "s"


def test_tickets_are_bounded():
    tickets = Tickets(Settings(session_links=10))
    for number in range(50):
        tickets.put(f"t{number}", f"s{number}", 0.0)
    assert len(tickets) == 10
    assert tickets.take("t49", 1.0) == "s49"


# -- a front


def cookie_of(answer):
    """The ticket's cookie, as the browser sends it, and its attributes."""
    (morsel,) = http.cookies.SimpleCookie(answer.headers["Set-Cookie"]).values()
    return f"{morsel.key}={morsel.value}", morsel


async def join(front, cookie, **hello):
    page = await front.connect(join=False, Cookie=cookie)
    await page.write_message(json.dumps({"__connect": None, **hello}))
    await page.read_message()
    _word, _name, connect = front.broker.calls[-1]
    return connect.session, front.broker.linked[-1]


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/x/?session=k", "./"),
        ("/x/?a=1&session=k&b=%2F", "./?a=1&b=%2F"),
        ("/x/index.html?session=k", "./index.html"),
    ],
)
async def test_an_address_with_a_key_is_answered_by_one_without(serve, path, location):
    front = await serve()
    front.broker.sessions.add(("x", "k"))
    answer = await front.get(path)
    assert (answer.code, answer.headers["Location"]) == (302, location)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    cookie, morsel = cookie_of(answer)
    assert "k" not in cookie.partition("=")[2] or len(cookie) > 30  # random, not the key
    assert morsel["path"] == ""  # that of the page alone: RFC 6265 section 5.1.4
    assert (morsel["max-age"], morsel["samesite"]) == ("61", "Strict")
    assert morsel["httponly"]


async def test_the_next_join_consumes_it(serve):
    front = await serve()
    front.broker.sessions.add(("x", "k"))
    cookie, _ = cookie_of(await front.get("/x/?session=k"))
    joined = await join(front, cookie, __received=0)
    assert joined == ("k", True)
    joined = await join(front, cookie, __received=0)
    assert joined == (None, False)


async def test_a_page_that_comes_back_leaves_it_to_the_one_that_was_opened(serve):
    front = await serve()
    front.broker.sessions.add(("x", "k"))
    cookie, _ = cookie_of(await front.get("/x/?session=k"))
    joined = await join(front, cookie, __connect="own", __received=5, __epoch="e")
    assert joined == ("own", False)
    joined = await join(front, cookie, __connect="own", __received=0)
    assert joined == ("k", True)


async def test_a_link_to_what_has_ended_begins_a_session(serve):
    front = await serve()
    cookie, _ = cookie_of(await front.get("/x/?session=gone"))
    joined = await join(front, cookie, __connect="own")
    assert joined == (None, True)


async def test_the_way_to_the_slash_is_not_kept_either(serve):
    front = await serve()
    answer = await front.get("/x?session=k")
    assert answer.headers["Location"] == "/x/?session=k"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_over_tls_the_cookie_is_secure(serve):
    front = await serve(xheaders=True)
    answer = await front.get("/x/?session=k", headers={"X-Forwarded-Proto": "https"})
    assert cookie_of(answer)[1]["secure"]
    page = await front.get("/x/", headers={"X-Forwarded-Proto": "https"})
    assert page.headers["Set-Cookie"].startswith("__Host-0_")
    assert "Secure" in page.headers["Set-Cookie"]
