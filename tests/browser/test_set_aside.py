"""A session that was set aside, since its start ends the kernel: what its page says and offers."""

import re

import pytest
from playwright.sync_api import expect

CODE = """\
import os
import signal
import sys

import databench


class Started(databench.Analysis):
    @databench.on
    def connected(self):
        rows = self.request_args.get('rows', ['5'])[0]
        if rows in ('SIGSEGV', 'SIGKILL'):
            print(f'{rows} rows are too many', file=sys.stderr, flush=True)
            os.kill(os.getpid(), getattr(signal, rows))
            signal.pause()  # another thread may take it: nothing is said until then
        yield self.data.init(rows=rows)

    @databench.on
    def run(self):
        self.emit('log', 'it ran')
"""
PAGE = """\
{% extends "analysis.html" %}
{% block analysis %}<button data-action="run">Run</button>
<p>Rows: <span data-signal="data:rows"></span></p>{% end %}
"""


@pytest.fixture
def app(tmp_path, serve):
    app = tmp_path / "analyses" / "started"
    app.mkdir(parents=True)
    (app / "analysis.py").write_text(CODE)
    (app / "index.html").write_text(PAGE)
    server = serve(app.parent)
    server.app = app
    return server


# A signal that people send too is held against a start when it comes again and again.
@pytest.mark.parametrize("word", ["SIGSEGV", "SIGKILL"])
def test_its_page_says_why_and_others_go_on(app, pages, word):
    pages.allow("rows are too many", "The kernel was ended")
    other = pages.open(app, "/started/")
    expect(other.get_by_text("Rows: 5")).to_be_visible()
    page = pages.open(app, f"/started/?rows={word}")
    notice = page.locator("#databench-alerts").get_by_text(re.compile("set aside")).first
    expect(notice).to_contain_text(f"The kernel was ended by {word}")
    expect(notice).to_contain_text("Check the values in the address of this page")
    expect(page.locator("#databench-alerts")).to_contain_text(f"{word} rows are too many")
    other.get_by_role("button", name="Run").click()
    expect(other.locator("#log")).to_contain_text("it ran")
    expect(other.get_by_text("set aside")).to_have_count(0)


def test_start_again_tries_it_once_more_and_a_mended_file_ends_it(app, pages):
    pages.allow("rows are too many", "The kernel was ended")
    page = pages.open(app, "/started/?rows=SIGSEGV")
    again = page.get_by_role("button", name="Start again")
    expect(again).to_be_visible()
    app.wait_printed("that session is set aside")
    again.click()
    app.wait_printed(re.compile("that session is set aside.*that session is set aside", re.DOTALL))
    expect(again).to_be_visible()
    mended = CODE.replace("'SIGSEGV', ", "")
    (app.app / "analysis.py").write_text(mended)
    expect(page.get_by_text("Rows: SIGSEGV")).to_be_visible()
    expect(again).to_be_hidden()
