"""An analysis that cannot be imported: told where a person looks, and gone once it is mended."""

import re

import pytest
from playwright.sync_api import expect

WHOLE = """\
import databench


class Mended(databench.Analysis):
    @databench.on
    def run(self):
        self.emit('log', 'mended')
"""
PAGE = """\
{% extends "analysis.html" %}
{% block analysis %}<button data-action="run">Run</button>{% end %}
"""


@pytest.fixture
def app(tmp_path):
    """A folder of analyses, with one whose third line fails."""
    app = tmp_path / "analyses" / "broken"
    app.mkdir(parents=True)
    (app / "analysis.py").write_text("import databench\n\nimport there_is_no_such_module\n")
    (app / "index.html").write_text(PAGE)
    return app


def test_import_error_is_told_and_the_save_that_mends_it_starts_the_kernel(app, serve, pages):
    pages.allow("there_is_no_such_module")
    server = serve(app.parent)
    page = pages.open(server, "/broken/")
    page.evaluate("window.isSamePage = true")
    alerts = page.locator("#databench-alerts")
    expect(alerts).to_contain_text("there_is_no_such_module")
    again = page.get_by_role("button", name="Start again")
    expect(again).to_be_visible()
    expect(alerts).to_contain_text(re.compile(r"analysis\.py\D+3"))
    server.wait_printed(r"there_is_no_such_module")
    server.wait_printed(r"analysis\.py\D+3")

    (app / "analysis.py").write_text(WHOLE)
    expect(again).to_be_hidden()
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#log")).to_contain_text("mended")
    assert page.evaluate("window.isSamePage")


def test_others_are_served_beside_a_broken_one(app, serve, pages):
    pages.allow("there_is_no_such_module")
    whole = app.parent / "whole"
    whole.mkdir()
    (whole / "analysis.py").write_text(WHOLE)
    (whole / "index.html").write_text(PAGE)
    server = serve(app.parent)
    broken = pages.open(server, "/broken/")
    expect(broken.get_by_role("button", name="Start again")).to_be_visible()
    page = pages.open(server, "/whole/")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#log")).to_contain_text("mended")


def test_wrong_entry_of_the_index_is_told_on_its_page(app, serve, pages):
    (app.parent / "index.yaml").write_text("analyses:\n  - name: broken\n    kernel: pyy\n")
    pages.allow("500", "status of")
    server = serve(app.parent)
    server.wait_printed(r"index\.yaml:3")
    page = pages.open(server)
    page.get_by_role("link", name="broken").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(re.compile(r"index\.yaml:3"))
    expect(alert).to_contain_text("did you mean 'py'?")


def test_unknown_action_is_told_with_the_nearest_name(app, serve, pages):
    pages.allow("no action")
    (app / "analysis.py").write_text(WHOLE)
    (app / "index.html").write_text(PAGE.replace('"run"', '"rnu"'))
    page = pages.open(serve(app.parent), "/broken/")
    page.get_by_role("button", name="Run").click()
    alerts = page.locator("#databench-alerts")
    expect(alerts).to_contain_text("no action 'rnu'; did you mean 'run'?")
    expect(page.get_by_role("button", name="Run")).to_be_enabled()
