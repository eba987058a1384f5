"""Analyses written for version 0.7, unchanged, as a person uses them (tests/compat)."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.processes.server import Server

ANALYSES = Path(__file__).resolve().parents[1] / "compat" / "analyses"


@pytest.fixture(scope="module")
def server():
    """One server for all of them; what follows the first unknown option is the analyses'."""
    with Server(ANALYSES, "--dataset", "small", "2") as server:
        yield server


def test_gallery_shows_what_index_yaml_says(server, pages):
    page = pages.open(server)
    expect(page).to_have_title("Written for 0.7")
    expect(page.locator("main")).to_contain_text("Analyses as people wrote them in 2019.")
    expect(page.locator("footer")).to_contain_text("0.4.1")
    expect(page.locator(".d-box strong")).to_have_text(
        ["Estimate", "Ticker", "Shared", "Arguments", "Hooks"]
        + ["Drawing", "Words", "Pages of its own", "Slow", "A kernel file"]
    )
    expect(page.locator("img.d-thumbnail")).to_have_count(1)
    assert page.locator("img.d-thumbnail").evaluate("image => image.naturalWidth") == 8
    page.get_by_role("link", name="Estimate").click()
    expect(page.locator("#pi")).to_be_visible()


def test_generator_streams_to_a_script_in_the_footer(server, pages):
    page = pages.open(server, "/estimate/")
    expect(page.get_by_role("heading", name="Estimate")).to_be_visible()
    expect(page.locator("#samples")).to_have_value("40000")
    assert page.locator(".result").evaluate("p => getComputedStyle(p).fontStyle") == "italic"
    page.locator("#samples").press("Home")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#pi")).to_have_text(re.compile(r"^3\.\d{3} after 20000$"))
    expect(page.locator("#log")).to_contain_text('"action":"done"')
    expect(page.get_by_role("button", name="Run")).to_be_enabled()


def test_periodic_callbacks_and_tornado_coroutines_run(server, pages):
    page = pages.open(server, "/ticker/")
    expect(page.locator("#ticks")).to_have_text("5")
    page.get_by_role("button", name="Work").click()
    expect(page.locator("#state")).to_have_text("worked")
    expect(page.locator("#steps")).to_have_text(re.compile("^012 (first second|second first)$"))


def test_class_data_is_one_for_all_pages(server, pages):
    first, second = pages.open(server, "/shared/"), pages.open(server, "/shared/")
    for page in (first, second):
        expect(page.locator("#own")).to_have_text("0")
    first.get_by_role("button", name="Add").click()
    expect(first.locator("#own")).to_have_text("1")
    second.get_by_role("button", name="Add").click()
    for page in (first, second):
        expect(page.locator("#all")).to_have_text("2")
        expect(page.locator("#own")).to_have_text("1")


def test_arguments_of_the_command_line_and_of_the_request_arrive(server, pages):
    page = pages.open(server, "/arguments/?a=1&a=2&b=%C3%A9")
    expect(page.locator("#cli")).to_have_text('["--dataset","small","2"]')
    expect(page.locator("#request")).to_have_text('{"a":["1","2"],"b":["é"]}')
    expect(page.locator("#echo")).to_have_text('[{"a":["1","2"],"b":["é"]},null,0,""]')


def test_hook_changes_what_pages_see_and_elements_are_adjusted(server, pages):
    page = pages.open(server, "/hooks/")
    expect(page.locator("#name")).to_have_value("ADA")
    slider = page.get_by_role("slider")
    expect(slider).to_have_value("50")
    slider.press("End")
    expect(page.locator("#seen")).to_have_text("1")
    page.locator("#name").press("Home")
    page.locator("#name").press("x")
    expect(page.locator("#name")).to_have_value("XADA")
    page.get_by_role("button", name="Whisper").click()
    expect(page.get_by_text("whispered: xADA")).to_be_visible()


def test_figure_is_an_image(server, pages):
    page = pages.open(server, "/drawing/")
    image = page.get_by_role("img", name="figure")
    expect(image).to_have_js_property("naturalWidth", 60)
    before = image.get_attribute("src")
    page.get_by_role("button", name="Redraw").click()
    expect(image).not_to_have_attribute("src", before)
    expect(image).to_have_js_property("naturalWidth", 60)


def test_connection_of_a_page_hears_and_tells_as_before(server, pages):
    pages.allow("this one fails")
    page = pages.open(server, "/words/")
    heard = page.locator("#heard")
    expect(heard).to_contain_text("ready go;")
    expect(heard).to_contain_text('{"a":2,"b":2};')
    expect(heard).to_contain_text('other [["x",2],{}];')
    expect(page.locator("#processes")).to_have_text("start end ")
    expect(page.locator("#log")).to_contain_text("this one fails")
    server.wait_printed("from the page")
    server.wait_printed(r"analysis\.py\", line \d+, in fail")


def test_pages_of_its_own_with_and_without_a_template(server, pages):
    page = pages.open(server, "/page/")
    expect(page.locator("#layout")).to_have_text("Layout of Pages of its own, version 0.4.1")
    expect(page.locator("#output")).to_have_text("hello")
    assert page.locator("#layout").evaluate("p => getComputedStyle(p).color") == "rgb(0, 128, 128)"
    assert page.evaluate("[window.fromStatic, window.fromVendor]") == ["static", "vendor"]
    page.get_by_role("link", name="More").click()
    expect(page).to_have_title("More of Pages of its own")
    expect(page.locator("#output")).to_have_text("hello")


def test_analysis_may_import_from_another_and_needs_no_page(server, pages):
    page = pages.open(server, "/lib/")
    answer = page.evaluate(
        """() => new Promise((resolve) => {
            const d = new Databench.Connection();
            d.on('doubled', resolve);
            d.connect(() => d.emit('double', 21));
        })"""
    )
    assert answer == 42


def test_kernel_file_runs_as_it_is(server, pages):
    page = pages.open(server, "/oldkernel/")
    expect(page.get_by_text("n: 1")).to_be_visible()
    page.get_by_role("button", name="Grow").click()
    expect(page.get_by_text("n: 10")).to_be_visible()


def test_page_without_a_script_of_its_own_is_wired(server, pages):
    page = pages.open(server, "/slow/")
    page.get_by_role("button", name="Press").click()
    expect(page.get_by_text("Pressed 1")).to_be_visible()
    expect(page.locator("#log")).to_contain_text("slept")


def test_each_of_these_analyses_has_its_test():
    named = {path.parent.name for path in ANALYSES.glob("*/analysis.py")}
    text = Path(__file__).read_text()
    assert {name for name in named if f'"/{name}/' not in text} == set()
