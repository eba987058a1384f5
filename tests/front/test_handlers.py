"""Errors as pages."""

import pytest

from databench.front import pages
from databench.front.handlers import error_page


def test_error_page_escapes_what_it_is_told():
    page = error_page("<t>", "a <b>\nc", "<more>")
    assert "&lt;t&gt;" in page
    assert "a &lt;b&gt;<br>c" in page
    assert "<pre>&lt;more&gt;</pre>" in page


def fail(entry):
    raise ValueError("the <readme> is wrong")


@pytest.mark.expected_log("GET /x/ failed", "/x/ 500")
async def test_fault_is_shown_with_its_traceback_in_development(serve, monkeypatch):
    monkeypatch.setattr(pages, "render_readme", fail)
    server = await serve(debug=True)
    answer = await server.get("/x/")
    text = answer.body.decode()
    assert answer.code == 500
    assert "ValueError: the &lt;readme&gt; is wrong" in text
    assert "Traceback" in text


@pytest.mark.expected_log("GET /x/ failed", "/x/ 500")
async def test_fault_is_hidden_in_production(serve, monkeypatch, caplog):
    monkeypatch.setattr(pages, "render_readme", fail)
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
