"""A call that nothing can interrupt: the page offers to end the kernel, and works on."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

ANALYSES = Path(__file__).resolve().parents[1] / "analyses"


def freeze(page) -> None:
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("#log")).to_contain_text("freezing")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator("#databench-alerts")).to_contain_text("Cancelling “freeze”")


def expect_answer(page, word: str) -> None:
    page.get_by_label("Word").fill(word)
    page.get_by_label("Word").press("Enter")
    expect(page.locator("#answer")).to_have_text(word)


@pytest.fixture
def server(serve):
    return serve(ANALYSES)


def test_frozen_kernel_is_ended_on_request_and_the_page_works_on(server, pages):
    pages.allow("lock")  # the loss is told on the console too
    page = pages.open(server, "/lock/")
    freeze(page)
    page.get_by_role("button", name="End it").click()
    expect(page.locator("#databench-alerts")).to_contain_text("“freeze” was lost")
    expect(page.get_by_role("button", name="Freeze")).to_be_enabled()
    expect_answer(page, "again")


def test_ending_a_kernel_that_others_share_asks_first(server, pages):
    pages.allow("lock")
    page = pages.open(server, "/lock/")
    other = pages.open(server, "/lock/")
    expect_answer(other, "before")
    freeze(page)
    page.get_by_role("button", name="End it").click()
    alerts = page.locator("#databench-alerts")
    expect(alerts).to_contain_text("2 sessions share this kernel")
    page.get_by_role("button", name="Keep it").click()
    expect(alerts).not_to_contain_text("sessions share")
    page.get_by_role("button", name="End it").click()
    page.get_by_role("button", name="End it for all").click()
    expect(alerts).to_contain_text("“freeze” was lost")
    expect_answer(page, "again")
    expect_answer(other, "as well")
