"""Errors as pages for browsers and as JSON for programs."""

import functools
import json
import re

import pytest

from databench.front import basehandler
from databench.front.basehandler import error_page, wants_page
from databench.front.handlers import pages
from tests.front.conftest import BROWSER, TOKEN


def test_error_page_escapes_what_it_is_told():
    page = error_page("<t>", "a <b>\nc", "<more>")
    assert "&lt;t&gt;" in page
    assert "a &lt;b&gt;<br>c" in page
    assert "<pre>&lt;more&gt;</pre>" in page
    assert "Request" not in page
    assert "Request &lt;id&gt;" in error_page("a", "b", request_id="<id>")


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("TEXT/HTML;q=0.5", True),
        ("application/xhtml+xml", True),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/json, text/plain, */*", False),
        ("application/json, text/html", True),
        ("application/json, text/html;q=0.9", False),
        ("text/html;q=0", False),
        ("text/html;q=none", False),
        ("text/html;level=1;q=0.1, application/json;q=0.05", True),
        ("x/text/html", False),
        ("text/html" + "," * 60_000, True),
        ("," * 60_000 + "text/html", False),  # no browser's, and too long to be split on the loop
    ],
)
def test_browser_names_html_and_a_program_does_not(accept, is_page):
    assert wants_page(accept) is is_page


PROGRAM = {"Accept": "*/*"}


def logged_ids(caplog):
    return re.findall(r"\(request (\w+)\)", caplog.text)


@pytest.mark.expected_log("/gone 404")
async def test_page_and_log_tell_the_same_request(serve, caplog):
    server = await serve()
    answer = await server.get("/gone")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    (id_,) = logged_ids(caplog)
    assert f"Request {id_}" in answer.body.decode()
    assert answer.headers["X-Request-Id"] == id_
    await server.get("/gone")
    assert len(set(logged_ids(caplog))) == 2


@pytest.mark.expected_log("/gone 404")
async def test_program_gets_json(serve, caplog):
    server = await serve()
    answer = await server.get("/gone", headers=PROGRAM)
    assert answer.code == 404
    assert answer.headers["Content-Type"].startswith("application/json")
    assert json.loads(answer.body) == {
        "type": "HTTPError",
        "message": "there is no analysis 'gone'",
        "traceback": None,
        "request_id": logged_ids(caplog)[0],
    }


async def test_answer_that_is_well_has_no_id(serve, caplog):
    server = await serve()
    assert "X-Request-Id" not in (await server.get("/")).headers
    assert logged_ids(caplog) == []


@pytest.mark.expected_log("/(x/ws)? 403", "refused, expected")
async def test_refusals_before_any_page_negotiate_too(serve, caplog):
    server = await serve()
    answer = await server.get("/", headers={**PROGRAM, "Host": "evil.example"})
    assert "--allow-host" in json.loads(answer.body)["message"]
    answer = await server.get("/x/ws", headers={**PROGRAM, "Origin": "http://evil.example"})
    assert answer.code == 403
    assert "origin" in json.loads(answer.body)["message"]
    assert len(logged_ids(caplog)) == 2


@pytest.mark.expected_log("template failed", "/x/ 500")
async def test_template_that_is_wrong_is_told_to_programs(serve, folder, caplog):
    (folder / "x" / "index.html").write_text("{{ nothing }}")
    server = await serve()
    document = json.loads((await server.get("/x/", headers=PROGRAM)).body)
    assert "NameError" in document["message"]
    assert {document["request_id"]} == set(logged_ids(caplog))


@pytest.mark.expected_log("/x/ 503")
async def test_analysis_that_is_wrong_is_told_to_programs(serve, folder, caplog):
    (folder / "index.yaml").write_text("analyses: [{name: x, kernel: cobol}]")
    server = await serve()
    document = json.loads((await server.get("/x/", headers=PROGRAM)).body)
    assert "cobol" in document["message"]
    answer = await server.get("/x/")
    assert answer.headers["X-Request-Id"] == logged_ids(caplog)[-1]


@pytest.mark.expected_log("GET /x/ failed", "/x/ 500")
@pytest.mark.parametrize("debug", [True, False])
async def test_fault_is_told_to_programs_as_to_browsers(serve, monkeypatch, caplog, debug):
    monkeypatch.setattr(pages, "describe", fail)
    server = await serve(debug=debug)
    document = json.loads((await server.get("/x/", headers=PROGRAM)).body)
    assert {document["request_id"]} == set(logged_ids(caplog))  # two lines, one id
    if debug:
        assert document["type"] == "ValueError"
        assert document["message"] == "ValueError: the <readme> is wrong"
        assert document["traceback"][0].startswith("Traceback")
    else:
        assert document["message"] == "Internal Server Error"
        assert document["type"] is document["traceback"] is None


def fail(*args, **kwargs):
    raise ValueError("the <readme> is wrong")


@pytest.mark.expected_log("GET /x/ failed", "/x/ 500")
async def test_fault_is_shown_with_its_traceback_in_development(serve, monkeypatch):
    monkeypatch.setattr(pages, "describe", fail)
    server = await serve(debug=True)
    answer = await server.get("/x/")
    text = answer.body.decode()
    assert answer.code == 500
    assert "ValueError: the &lt;readme&gt; is wrong" in text
    assert "Traceback" in text


@pytest.mark.expected_log("GET /x/ failed", "/x/ 500")
async def test_fault_is_hidden_in_production(serve, monkeypatch, caplog):
    monkeypatch.setattr(pages, "describe", fail)
    server = await serve(debug=False)
    text = (await server.get("/x/")).body.decode()
    assert "readme" not in text
    assert "500 Internal Server Error" in text
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.expected_log("POST / 405")
async def test_method_that_is_not_there_is_told(serve):
    server = await serve()
    answer = await server.raw(
        f"POST / HTTP/1.1\nHost: {server.address}\nContent-Length: 0\nConnection: close\n\n"
    )
    assert answer.startswith("HTTP/1.1 405")
    assert "405 Method Not Allowed" in answer


# ---------------------------------------------------------------- headers

EVERYWHERE = (
    *("X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options"),
    *("Content-Security-Policy", "Cross-Origin-Resource-Policy"),
)


@pytest.mark.expected_log(r" 4\d\d ", "websocket of a page of", "asked for its websocket")
@pytest.mark.parametrize(
    ("path", "code", "more"),
    [
        ("/", 200, {}),
        ("/x/", 200, {}),
        ("/x", 302, {}),
        (f"/x/?token={TOKEN}", 302, {}),
        ("/_static/databench.js", 200, {}),
        ("/status/live", 200, {}),
        ("/_kernels", 403, {"Cookie": ""}),
        ("/nothing", 404, {}),
        ("/x/nothing.html", 404, {}),
        ("/x/ws", 426, {}),  # no handshake
        ("/x/ws", 403, {"Origin": "http://evil.example"}),
        ("/", 403, {"Host": "evil.example"}),
    ],
)
async def test_every_answer_has_the_headers(serve, path, code, more):
    server = await serve()
    answer = await server.get(path, headers=more)
    assert answer.code == code
    assert [name for name in EVERYWHERE if name not in answer.headers] == []
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("object-src 'none'; base-uri 'self'; frame-ancestors 'self'")
    if code == 200 and path in ("/", "/x/"):
        assert "script-src" not in policy  # a page's own scripts run


async def test_every_answer_has_the_policy_of_the_project(serve, folder):
    (folder / "index.yaml").write_text(
        "content_security_policy: |\n  object-src 'none';\n  frame-ancestors https://a.example\n"
    )
    server = await serve()
    expected = "object-src 'none'; frame-ancestors https://a.example"
    for path in ("/", "/_static/databench.js"):
        assert (await server.get(path)).headers["Content-Security-Policy"] == expected


async def test_project_may_have_no_policy(serve, folder):
    (folder / "index.yaml").write_text("content_security_policy: ''\n")
    server = await serve()
    assert "Content-Security-Policy" not in (await server.get("/")).headers


def test_answers_without_scripts_forbid_them_but_for_a_policy_that_says_it_all():
    find = functools.partial(basehandler.find_headers, has_scripts=False)
    assert find()["Content-Security-Policy"] == f"{basehandler.POLICY}; script-src 'none'"
    assert find("")["Content-Security-Policy"] == "script-src 'none'"
    assert find("script-src 'self'")["Content-Security-Policy"] == "script-src 'self'"


async def test_whoever_may_administer_finds_the_kernel_page(serve, folder):
    (folder / "base.html").unlink()
    server = await serve()
    link = b'<a href="/_kernels">Kernels</a>'
    for path in ("/", "/x/"):
        assert link in (await server.get(path)).body
        assert link not in (await server.get(path, headers={"Cookie": ""})).body


async def test_answers_that_no_handler_makes_have_the_headers(serve, folder):
    (folder / "index.yaml").write_text("content_security_policy: object-src 'none'\n")
    front = (await serve(hsts_s=60.0)).front
    plain = front.find_refusal_headers(is_secure=False)
    assert plain == basehandler.find_headers("object-src 'none'", has_scripts=False)
    more = {"Strict-Transport-Security": "max-age=60"}
    assert front.find_refusal_headers(is_secure=True) == plain | more
