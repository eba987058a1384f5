"""Files are saved while somebody looks at the page."""

import re

import pytest
from playwright.sync_api import expect

from tests.processes.server import Server

CODE = """\
import time

import databench


class Demo(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(count=0, restored=None, note='')
        self.data['restored'] = self.restored

    @databench.on
    def more(self):
        self.data['count'] += 1
        self.emit('answer', 'first code')

    @databench.on
    async def hold(self):
        self.emit('answer', 'holding')
        import asyncio
        await asyncio.sleep(600)
"""
PAGE = """\
{% extends "analysis.html" %}
{% block head %}<link rel="stylesheet" href="static/look.css">{% end %}
{% block analysis %}
<h2 id="heading">First page</h2>
<label>Note <input name="note"></label>
<label>Text <textarea id="text" data-skipwire></textarea></label>
<button data-action="more">More</button> <button data-action="hold">Hold</button>
<p id="count" data-signal="data:count"></p>
<p id="restored" data-signal="data:restored"></p>
<p id="answer" data-signal="answer"></p>
{% end %}
"""


class Project:
    """A folder of analyses in the making."""

    def __init__(self, folder):
        self.folder = folder
        self.save("demo/analysis.py", CODE)
        self.save("demo/index.html", PAGE)
        self.save("demo/static/look.css", "#heading { color: rgb(1, 2, 3) }")
        self.save("other/analysis.py", CODE)
        self.save("other/index.html", PAGE)
        self.save("other/static/look.css", "")

    def save(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "analyses")


def test_new_code_and_a_new_page_keep_state_and_what_was_typed(project, serve, pages):
    server: Server = serve(project.folder)
    page, other = pages.open(server, "/demo/"), pages.open(server, "/other/")
    more = page.get_by_role("button", name="More")
    more.click()
    expect(page.locator("#answer")).to_have_text("first code")
    other.get_by_role("button", name="More").click()
    expect(other.locator("#answer")).to_have_text("first code")
    kept = server.kernel("other").pid
    for tab in (page, other):
        tab.evaluate("window.isSamePage = true")
    page.locator("#text").fill("a long text")
    page.get_by_label("Note").press_sequentially("half a wo")

    project.save("demo/analysis.py", CODE.replace("first code", "second code"))
    expect(page.locator("#restored")).to_have_text(re.compile("code changed: .*demo/analysis.py"))
    page.keyboard.type("rd")
    more.click()
    expect(page.locator("#answer")).to_have_text("second code")
    expect(page.locator("#count")).to_have_text("2")
    assert page.evaluate("window.isSamePage")
    page.get_by_label("Note").fill("unsent")

    project.save("demo/index.html", PAGE.replace("First page", "Second page"))
    expect(page.locator("#heading")).to_have_text("Second page")
    expect(page.locator("#count")).to_have_text("2")
    expect(page.get_by_label("Note")).to_have_value("unsent")
    expect(page.locator("#text")).to_have_value("a long text")
    expect(page.get_by_label("Note")).to_be_focused()
    more.click()
    expect(page.locator("#count")).to_have_text("3")

    expect(other.locator("#count")).to_have_text("1")
    assert other.evaluate("window.isSamePage")
    assert server.kernel("other").pid == kept


def test_style_sheet_is_taken_without_loading_the_page_again(project, serve, pages):
    page = pages.open(serve(project.folder), "/demo/")
    heading = page.locator("#heading")
    expect(heading).to_have_css("color", "rgb(1, 2, 3)")
    page.evaluate("window.isSamePage = true")
    for color in ("rgb(4, 5, 6)", "rgb(7, 8, 9)"):
        project.save("demo/static/look.css", f"#heading {{ color: {color} }}")
        expect(heading).to_have_css("color", color)
    assert page.evaluate("window.isSamePage")
    expect(page.locator("link[href*='look.css']")).to_have_count(1)


def test_code_that_is_saved_while_an_action_runs_waits_and_can_be_had_at_once(
    project, serve, pages
):
    pages.allow("restarted by a page")
    page = pages.open(serve(project.folder), "/demo/")
    alerts = page.locator("#databench-alerts")
    page.get_by_role("button", name="Hold").click()
    expect(page.locator("#answer")).to_have_text("holding")
    project.save("demo/analysis.py", CODE.replace("first code", "second code"))
    expect(alerts).to_contain_text("Code changed: analyses/demo/analysis.py")
    expect(alerts).to_contain_text("when “hold” has ended")
    page.get_by_role("button", name="Restart now").click()
    expect(page.get_by_role("button", name="Restart now")).to_be_hidden()
    page.get_by_role("button", name="More").click()
    expect(page.locator("#answer")).to_have_text("second code")


def test_code_that_is_saved_while_an_action_runs_is_used_when_it_has_ended(project, serve, pages):
    page = pages.open(serve(project.folder), "/demo/")
    page.get_by_role("button", name="Hold").click()
    expect(page.locator("#answer")).to_have_text("holding")
    project.save("demo/analysis.py", CODE.replace("first code", "second code"))
    expect(page.locator("#databench-alerts")).to_contain_text("Code changed")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#restored")).to_contain_text("code changed")
    page.get_by_role("button", name="More").click()
    expect(page.locator("#answer")).to_have_text("second code")
    expect(page.locator("#databench-alerts")).not_to_contain_text("Code changed")


def joined(page):
    """A page hears of saves from its join on."""
    page.wait_for_function("globalThis.databench?.status === 'joined'")


def test_gallery_and_broken_pages_follow_what_is_saved(project, serve, pages):
    pages.allow("500", "503", "404", "Refused to apply style")
    server = serve(project.folder)
    gallery = pages.open(server)
    joined(gallery)
    project.save("index.yaml", "analyses: [{name: demo, title: Other title}]")
    expect(gallery.get_by_role("link", name="Other title")).to_be_visible()
    joined(gallery)
    project.save("index.yaml", "analyses: [")
    expect(gallery.get_by_role("alert")).to_contain_text("index.yaml:1")
    expect(gallery.locator(".d-box")).to_have_count(1)
    joined(gallery)
    project.save("index.yaml", "analyses: [{name: demo}, {name: late}]")
    expect(gallery.locator(".d-box")).to_have_count(2)
    late = pages.open(server, "/late/")
    expect(late.get_by_role("alert")).to_contain_text("late")
    joined(late)
    project.save(".late/analysis.py", CODE)
    project.save(".late/index.html", PAGE)
    (project.folder / ".late").rename(project.folder / "late")
    expect(late.locator("#heading")).to_have_text("First page")
    joined(late)
    project.save(
        "late/index.html", "{% extends 'analysis.html' %}{% block analysis %}{{ 1 / 0 }}{% end %}"
    )
    expect(late.locator(".alert-danger")).to_contain_text("division by zero")
    joined(late)
    project.save("late/index.html", PAGE)
    expect(late.locator("#heading")).to_have_text("First page")
