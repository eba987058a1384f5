"""What only a real browser tells of single elements: whether they can be seen."""

import textwrap

import pytest
from playwright.sync_api import expect

ANALYSIS = """
import databench

PICTURE = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='2000' height='9'/>"


class X(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(picture=None)

    @databench.on
    def show(self):
        self.data["picture"] = PICTURE

    @databench.on
    def hide(self):
        self.data["picture"] = None

    @databench.on
    def say(self):
        self.toast("<b>saved</b>")

    @databench.on
    def fail(self):
        raise ValueError("the first")

    @databench.on
    def break_(self):
        raise ValueError("the second")
"""
PAGE = """{% extends "analysis.html" %}
{% block analysis %}
<img data-signal="data:picture" alt="A picture">
<button data-action="show">Show</button>
<button data-action="hide">Hide</button>
<button data-action="say">Say</button>
<button data-action="fail">Fail</button>
<button data-action="break_">Break</button>
{% end %}
"""


@pytest.fixture
def page(serve, pages, tmp_path):
    folder = tmp_path / "analyses" / "x"
    folder.mkdir(parents=True)
    (folder / "analysis.py").write_text(textwrap.dedent(ANALYSIS))
    (folder / "index.html").write_text(PAGE)
    return pages.open(serve(folder.parent), "/x/", viewport={"width": 320, "height": 640})


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def test_image_is_seen_only_while_it_has_an_address(page):
    image = page.locator("img[data-signal]")
    expect(image).to_be_hidden()
    press(page, "Show")
    expect(image).to_be_visible()
    box, main = image.bounding_box(), page.locator("main").bounding_box()
    assert box is not None and main is not None
    assert box["width"] <= main["width"]
    press(page, "Hide")
    expect(image).to_be_hidden()


def test_toast_is_seen_as_text_and_goes(page):
    press(page, "Say")
    toast = page.get_by_role("status").filter(has_text="saved")
    expect(toast).to_be_visible()
    expect(toast).to_have_text("<b>saved</b>")
    expect(page.locator(".d-toast")).to_have_count(0)


def test_newest_failure_is_seen_and_earlier_ones_on_request(page, pages):
    pages.allow("the first", "the second")
    press(page, "Fail")
    first, second = page.get_by_text("the first").first, page.get_by_text("the second").first
    expect(first).to_be_visible()
    press(page, "Break")
    expect(second).to_be_visible()
    expect(first).to_be_hidden()
    page.get_by_text("1 earlier problem").click()
    expect(first).to_be_visible()
