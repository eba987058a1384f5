"""Connections that are lost, and pages that come back."""

import math
import re

from playwright.sync_api import expect

LOST = "Connection lost"
# The log keeps its last lines only: a look at it must not wait for a certain one.
DRAWING = re.compile(r'"draws":\d{5,}')


def test_page_tells_of_a_lost_server_and_comes_back_by_itself(server, pages):
    pages.allow("ERR_CONNECTION_REFUSED", "WebSocket connection to")
    page = pages.open(server, "/scaffold_py/")
    page.evaluate("window.isSamePage = true")
    expect(page.locator("strong")).to_contain_text("ready since")
    server.stop()
    alerts = page.locator("#databench-alerts")
    expect(alerts).to_contain_text(LOST)
    expect(alerts).to_contain_text("Nothing was running")

    server.restart()
    expect(alerts).not_to_contain_text(LOST)
    page.get_by_role("textbox").fill("Ada")
    page.get_by_role("button", name="Greet").click()
    expect(page.locator("strong")).to_have_text("Hello, Ada!")
    assert page.evaluate("window.isSamePage")


def test_server_that_ends_during_a_run_leaves_no_button_busy(server, pages):
    pages.allow("ERR_CONNECTION_REFUSED", "WebSocket connection to", "the server stops")
    page = pages.open(server, "/dummypi_py/")
    run = page.get_by_role("button", name="Run", exact=True)
    run.click()
    expect(page.locator("#log")).to_contain_text(DRAWING)
    server.stop()
    expect(page.locator("#databench-alerts")).to_contain_text(LOST)
    server.restart()
    expect(page.locator("#databench-alerts")).not_to_contain_text(LOST)
    expect(run).to_be_enabled()
    page.get_by_role("slider").press("Home")
    run.click()
    expect(page.locator("#log")).to_contain_text('{"action":"done"}')


def test_reloaded_page_rejoins_its_run(server, pages):
    page = pages.open(server, "/dummypi_py/")
    run = page.get_by_role("button", name="Run", exact=True)
    run.click()
    expect(page.locator("#log")).to_contain_text(DRAWING)
    stored = page.evaluate("({...sessionStorage})")
    page.reload()
    expect(run).to_be_disabled()
    expect(run).to_have_attribute("aria-busy", "true")
    expect(page.locator("#log")).to_contain_text('{"action":"done"}')
    expect(run).to_be_enabled()
    assert page.evaluate("({...sessionStorage})") == stored
    shown = re.search(r"\d\.\d+", page.locator("#pi").inner_text())
    assert shown is not None
    assert abs(float(shown[0]) - math.pi) < 0.05


def test_run_that_was_reloaded_into_can_be_cancelled(server, pages):
    page = pages.open(server, "/pi/")
    page.get_by_role("slider").press("End")
    page.get_by_role("button", name="Run", exact=True).click()
    curve = page.locator("figure svg")
    expect(curve).to_have_attribute("aria-label", re.compile("line of [1-9]"))
    page.reload()
    expect(curve).to_have_attribute("aria-label", re.compile("line of [1-9]"))
    expect(page.get_by_role("slider")).to_have_value("100000000")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
