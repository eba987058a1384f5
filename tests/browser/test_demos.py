"""The packaged analyses as a person uses them."""

import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

# The log keeps its last lines only: a look at it must not wait for a certain one.
DRAWING = re.compile(r"draws\D+\d{5,}")


def run_button(page: Page):
    return page.get_by_role("button", name="Run", exact=True)


def cancel_button(page: Page):
    return page.get_by_role("button", name="Cancel", exact=True)


def expect_running(page: Page) -> None:
    expect(run_button(page)).to_be_disabled()
    expect(run_button(page)).to_have_attribute("aria-busy", "true")
    expect(cancel_button(page)).to_be_enabled()


def expect_idle(page: Page) -> None:
    expect(run_button(page)).to_be_enabled()
    expect(run_button(page)).not_to_have_attribute("aria-busy", "true")
    expect(cancel_button(page)).to_be_disabled()


def estimate(page: Page) -> float:
    found = re.search(r"\d+\.\d+", page.locator("#pi").inner_text())
    assert found is not None
    return float(found[0])


def set_samples(page: Page, value: int) -> None:
    """Moves the slider, as a person does with the keys: to one end."""
    slider = page.get_by_role("slider")
    slider.press("Home")
    expect(slider).to_have_value(str(value))


def test_person_finds_an_analysis_runs_it_and_reads_pi(server, pages):
    page = pages.open(server)
    expect(page).to_have_title("Databench - Packaged Analyses")
    page.get_by_role("link", name="Dummy π with Python Language Kernel").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect_idle(page)

    run_button(page).click()
    expect_running(page)
    expect(page.locator("#log")).to_contain_text('"draws":500000')
    expect_idle(page)
    assert abs(estimate(page) - math.pi) < 0.05
    expect(page.locator("#log")).to_contain_text('{"action":"done"}')


def test_cancel_stops_a_run_and_the_next_one_works(server, pages):
    page = pages.open(server, "/dummypi_py/")
    run_button(page).click()
    expect(page.locator("#log")).to_contain_text(DRAWING)
    cancel_button(page).click()
    expect_idle(page)
    expect(page.locator("#log")).not_to_contain_text('"draws":500000')

    set_samples(page, 100_000)
    run_button(page).click()
    expect(page.locator("#log")).to_contain_text('{"action":"done"}')
    expect_idle(page)


def test_two_tabs_run_at_once(server, pages):
    first = pages.open(server, "/dummypi_py/")
    second = pages.tab(first.context, server, "/dummypi_py/")
    for page in (first, second):
        page.get_by_role("slider").press("End")
        run_button(page).click()
    for page in (first, second):
        expect(page.locator("#log")).to_contain_text(DRAWING)
        expect_running(page)
    # Cancelling the one leaves the other running, to its end.
    cancel_button(first).click()
    expect_idle(first)
    expect_running(second)
    expect(second.locator("#log")).to_contain_text('{"action":"done"}')
    expect_idle(second)
    assert abs(estimate(second) - math.pi) < 0.05
    expect(first.locator("#log")).not_to_contain_text("done")


@pytest.mark.parametrize("name", ["dummypi_py", "dummypi"])
def test_killed_kernel_tells_why_and_the_next_run_works(name, server, pages):
    pages.allow("SIGKILL")
    page = pages.open(server, f"/{name}/")
    page.evaluate("window.isSamePage = true")
    run_button(page).click()
    expect(page.locator("#log")).to_contain_text(DRAWING)
    killed = server.kernel(name)
    killed.kill()

    expect(page.locator("#databench-alerts")).to_contain_text("SIGKILL")
    expect(page.locator("#databench-alerts")).to_contain_text("run")
    expect_idle(page)
    set_samples(page, 100_000)
    run_button(page).click()
    expect(page.locator("#log")).to_contain_text("done")
    expect_idle(page)
    assert abs(estimate(page) - math.pi) < 0.05
    assert page.evaluate("window.isSamePage")
    assert server.kernel(name).pid != killed.pid


def test_page_with_a_script_runs(server, pages):
    page = pages.open(server, "/dummypi/")
    set_samples(page, 100_000)
    run_button(page).click()
    expect(page.locator("#log")).to_contain_text("done")
    expect_idle(page)
    assert abs(estimate(page) - math.pi) < 0.05


def test_smallest_app_runs_without_a_script_of_its_own(server, pages):
    page = pages.open(server, "/pi/")
    bar, shown, curve = page.locator("progress"), page.locator("p span"), page.locator("figure svg")
    set_samples(page, 1_000_000)
    run_button(page).click()
    expect(bar).to_have_js_property("value", 40)
    expect_idle(page)
    expect(shown).to_have_text(re.compile(r"3\.1[34]"))
    expect(curve).to_have_attribute("aria-label", re.compile("line of 40 values"))

    page.get_by_role("slider").press("End")
    run_button(page).click()
    expect_running(page)
    expect(curve).to_have_attribute("aria-label", re.compile("line of [1-9] values"))
    cancel_button(page).click()
    expect_idle(page)
    set_samples(page, 1_000_000)
    run_button(page).click()
    expect(curve).to_have_attribute("aria-label", re.compile("line of 40 values"))
    expect_idle(page)


@pytest.mark.parametrize("name", ["scaffold", "scaffold_py"])
def test_scaffold_answers(name, server, pages):
    page = pages.open(server, f"/{name}/")
    expect(page.locator("strong")).to_contain_text("ready since")
    page.get_by_role("textbox").fill("Ada")
    page.get_by_role("button", name="Greet").click()
    expect(page.locator("strong")).to_have_text("Hello, Ada!")


def test_each_packaged_analysis_has_its_test():
    """By its address, or its name among the parameters, in a test of a browser."""
    folder = Path(__file__).resolve().parents[2] / "analyses"
    text = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    named = {path.parent.name for path in folder.glob("*/index.html")}
    assert len(named) >= 5
    assert {
        name for name in named if f'"/{name}/"' not in text and f'"{name}"' not in text
    } == set()
