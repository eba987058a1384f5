"""Formulae of readmes and pages become MathML, without another host and without HTML."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.processes.server import Server

FOLDER = Path(__file__).resolve().parent / "formulae"


@pytest.fixture(scope="module")
def server():
    with Server(FOLDER) as server:
        yield server


def requested(page):
    """The names of the files that the page has asked for."""
    names = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    return {name.rpartition("/")[2].partition("?")[0] for name in names}


def test_a_formula_in_a_readme_becomes_mathml(server, pages):
    page = pages.open(server, "/readme/")
    readme = page.locator(".d-readme")
    expect(readme.locator("math")).to_have_count(5)
    expect(readme.locator("math mfrac")).to_have_count(2)
    expect(readme.locator("code")).to_have_text(r"\(k / n\)")
    assert "$$" not in readme.inner_text()
    box = readme.locator("mfrac").first.bounding_box()
    letter = readme.locator("math").first.bounding_box()
    assert box["height"] > 1.5 * letter["height"]  # drawn as a fraction, not as a line of text


def test_a_formula_in_a_page_of_its_own_becomes_mathml(server, pages):
    page = pages.open(server, "/own/")
    expect(page.locator("#display math msqrt")).to_have_count(1)
    expect(page.locator("#inline math")).to_have_count(1)
    expect(page.locator("#inline .d-formula-error")).to_have_text(r"\frac{a")
    expect(page.locator("#pre")).to_have_text(r"$$\sqrt{x}$$")
    expect(page.locator("#code")).to_have_text(r"\(a\)")
    expect(page.locator("#input")).to_have_value("$$x$$")
    expect(page.locator("#textarea")).to_have_value(r"\(y\)")


def test_a_formula_brings_no_html(server, pages):
    page = pages.open(server, "/own/")
    expect(page.locator("#evil math").first).to_contain_text("<img src=x")
    assert page.locator("#evil img, #evil a, #evil [href], #evil [onerror]").count() == 0
    assert page.title() == "A page of its own"


def test_the_renderer_is_loaded_by_pages_with_formulae_only(server, pages):
    page = pages.open(server, "/own/none.html")
    expect(page.locator("code")).to_be_visible()
    page.wait_for_load_state("load")
    assert requested(page) & {"formulae.js", "temml.min.js"} == set()
    page.goto(server.url + "/readme/")
    expect(page.locator("math")).to_have_count(5)
    page.wait_for_load_state("networkidle")  # style sheets may come after the formulae
    assert {"formulae.js", "formulae.css", "temml.min.js", "Temml-Local.css"} <= requested(page)


@pytest.mark.parametrize("width", [390, 1200])
def test_a_long_formula_does_not_widen_the_page(server, pages, width):
    page = pages.open(server, "/readme/", viewport={"width": width, "height": 844})
    expect(page.locator("math")).to_have_count(5)
    assert page.evaluate("document.documentElement.scrollWidth") == width
