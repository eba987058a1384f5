"""The kernel page: what a kernel does, live, and the buttons."""

import re

import pytest
from playwright.sync_api import expect

ANALYSIS = """
import asyncio, os, signal, sys
import databench

class Work(databench.Analysis):
    @databench.on
    async def hold(self):
        print("<b>no</b> markup", file=sys.stderr, flush=True)
        self.emit("held")
        await asyncio.Event().wait()

    @databench.on
    async def stuck(self):
        self.emit("held", "it runs")
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass

    @databench.on
    def die(self):
        print("the last words", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""
PAGE = """{% extends "analysis.html" %}
{% block analysis %}
<button data-action="hold">Hold</button> <button data-action="die">Die</button>
<button data-action="stuck">Begin</button> <button data-cancel="stuck">Cancel</button>
<p id="held" data-signal="held"></p>
{% end %}
"""


@pytest.fixture
def folder(tmp_path):
    work = tmp_path / "analyses" / "work"
    work.mkdir(parents=True)
    (work / "analysis.py").write_text(ANALYSIS)
    (work / "index.html").write_text(PAGE)
    return work.parent


def value(page, name):
    """What stands beside a word of the page."""
    return page.locator(f"article dt:text-is('{name}') + dd")


def button(page, name):
    return page.get_by_role("button", name=name)


def test_running_action_is_seen_interrupted_and_its_kernel_restarted(folder, serve, pages):
    server = serve(folder)
    page = pages.open(server, "/_kernels")
    expect(page.locator("#k-none")).to_be_visible()
    work = pages.open(server, "/work/")
    hold = button(work, "Hold")
    hold.click()

    row = page.locator("article tbody tr")
    expect(row).to_have_text(re.compile(r"hold1[1-9]\d* s"))  # it has run for a second or more
    expect(page.get_by_role("heading", name="work")).to_be_visible()
    expect(value(page, "State")).to_have_text("busy")
    expect(value(page, "Process")).to_have_text(str(server.kernel("work").pid))
    expect(value(page, "Memory")).to_have_text(re.compile(r"^\d+\.\d MiB$"))
    expect(value(page, "Processor")).to_have_text(re.compile(r"^\d+ %$"))
    expect(value(page, "Sessions")).to_have_text("1 (1 page)")
    page.get_by_text("Last lines of stderr").click()
    expect(page.locator("[data-k=stderr] pre")).to_have_text("<b>no</b> markup")

    button(page, "Interrupt (1 session)").click()
    expect(row).to_have_count(0)
    expect(hold).to_be_enabled()
    expect(value(page, "State")).to_have_text("idle")
    expect(button(page, "Interrupt")).to_be_disabled()

    button(page, "Restart (1 session)").click()
    expect(value(page, "Generation")).to_have_text("2")
    expect(value(page, "State")).to_have_text("idle")
    page.get_by_text("Earlier processes (1)").click()
    expect(page.locator("[data-k=restarts] li")).to_contain_text("restarted from the kernel page")


def test_stop_asks_where_others_are_touched_and_lasts_until_a_start(folder, serve, pages):
    pages.allow("ended by SIGKILL")
    server = serve(folder)
    first, second = pages.open(server, "/work/"), pages.open(server, "/work/")
    button(first, "Die").click()
    page = pages.open(server, "/_kernels")
    expect(page.locator("[data-k=restarts] pre")).to_have_text("the last words")
    expect(value(page, "State")).to_have_text("idle")
    expect(value(page, "Sessions")).to_have_text("2 (2 pages)")

    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    button(page, "Stop (2 sessions)").click()
    assert "This affects 2 sessions." in asked[0]
    expect(value(page, "State")).to_have_text("idle")

    page.once("dialog", lambda dialog: dialog.accept())
    button(page, "Stop (2 sessions)").click()
    expect(value(page, "State")).to_have_text("stopped")
    expect(value(page, "Crashes")).to_have_text("1")
    expect(page.locator("[data-k=reason]")).not_to_have_class(re.compile("danger"))
    expect(page.locator("[data-k=reason]")).to_contain_text("stopped from the kernel page")
    expect(button(page, "Stop")).to_be_disabled()
    expect(second.locator("#databench-alerts")).to_contain_text("stopped from the kernel page")

    button(page, "Start (2 sessions)").click()  # nothing runs: nobody is asked
    expect(value(page, "State")).to_have_text("idle")
    expect(value(page, "Generation")).to_have_text("3")
    expect(page.locator("[data-k=reason]")).to_be_hidden()


def test_each_kernel_of_a_pool_and_of_a_queue_is_shown_by_itself(folder, serve, pages):
    (folder / "index.yaml").write_text(
        "analyses:\n- {name: work, isolation: session, preheat: 0, max_kernels: 2}"
    )
    server = serve(folder)
    for _ in range(3):
        page = pages.open(server, "/work/")
        page.wait_for_function("databench.status === 'joined'")
    looker = pages.open(server, "/_kernels")
    articles = looker.locator("article")
    expect(articles).to_have_count(3)
    expect(articles.nth(1).locator("h2")).to_have_text("work 2 of 3")
    expect(articles.nth(2).locator("[data-k=state]")).to_have_text("queued")
    expect(articles.nth(2).get_by_role("button", name="Start")).to_be_disabled()
    articles.nth(0).get_by_role("button", name="Stop").click()
    expect(articles.nth(0).locator("[data-k=state]")).to_have_text("stopped")
    expect(articles.nth(1).locator("[data-k=state]")).to_have_text("idle")


def test_page_without_the_token_says_where_it_is_and_the_address_gives_it(folder, serve, pages):
    server = serve(folder)
    page = pages.open(server, "/", is_trusted=False)
    note = page.locator("footer .d-right")
    expect(note).to_contain_text("the address with ?token= that the terminal shows")
    pages.allow("403")
    note.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Kernels")).to_be_visible()
    expect(page.locator(".alert-danger")).to_contain_text("it is for the administrator")
    page.goto(f"{server.url}/?token={server.token}")
    assert page.url == f"{server.url}/"
    expect(page.locator("footer .d-right")).to_have_count(0)
    page.goto(f"{server.url}/_kernels")
    expect(page.locator("#k-none")).to_be_visible()


def test_visitor_is_not_offered_to_end_what_others_use(folder, serve, pages):
    server = serve(folder)
    first = pages.open(server, "/work/", is_trusted=False)
    second = pages.open(server, "/work/", is_trusted=False)
    button(first, "Begin").click()
    expect(first.get_by_text("it runs")).to_be_visible()  # one that waits is just taken back
    button(first, "Cancel").click()
    reason = first.get_by_text("only an administrator may end it. To sign in as the")
    expect(reason).to_be_visible()
    expect(button(first, "End it")).to_have_count(0)
    second.close()
    expect(button(first, "End it")).to_be_visible()
    expect(reason).to_have_count(0)
    pages.allow("ended by a page that cancelled 'stuck'")
    button(first, "End it").click()
    button(first, "End it for all").click()
    expect(first.get_by_text("was lost")).to_be_visible()
