"""What an analysis sends as text is shown as text."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

ANALYSES = Path(__file__).resolve().parents[1] / "analyses"
TEXT = '<img src=x onerror="window.isInjected=true"><b>bold</b>'


@pytest.fixture
def page(serve, pages):
    pages.allow("isInjected")  # the page's own log shows on the console too
    page = pages.open(serve(ANALYSES), "/markup/")
    expect(page.locator("#state")).to_have_text(TEXT)
    yield page
    assert page.locator("main img, main b").count() == 0
    assert page.evaluate("window.isInjected") is None


def test_state_and_signals_are_shown_as_text(page):
    expect(page.locator("#list")).to_contain_text("<b>bold</b>")
    page.get_by_role("button", name="Tell").click()
    expect(page.locator("#told")).to_have_text(TEXT)
    expect(page.locator("#log")).to_contain_text("<b>bold</b>")


def test_failure_is_shown_as_text(page):
    page.get_by_role("button", name="Fail").click()
    expect(page.locator("#databench-alerts")).to_contain_text(TEXT)
    expect(page.locator("#log")).to_contain_text("<b>bold</b>")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#databench-alerts")).not_to_contain_text("bold")


def test_what_is_typed_is_shown_as_text(page):
    page.get_by_label("Word").fill(TEXT)
    page.get_by_label("Word").press("Enter")
    expect(page.locator("#word")).to_have_text(TEXT)


def test_zero_is_zero_and_nothing_is_nothing(page):
    expect(page.locator("#zero")).to_have_text("0")
    expect(page.locator("#nothing")).to_have_text("")
