"""Examples in the words of June 2014, in a browser: each does what it did.

The folder holds re-creations of the kinds of examples that were published then, with Python 2's
words mended, and with what the upgrade page says is to be changed.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.test_parallel import store  # noqa: F401 - a fixture
from tests.processes.server import Server

FOLDER = Path(__file__).resolve().parents[1] / "compat" / "june_2014" / "analyses"
NAMES = sorted(file.stem for file in FOLDER.glob("[a-z]*.py"))
FIGURE = "#mpld3canvas svg.mpld3-figure"
POINTS = "#mpld3canvas svg g:not(.mpld3-paths) > .mpld3-path"


@pytest.fixture(scope="module")
def old():
    with Server(FOLDER) as server:
        yield server


@pytest.fixture
def over_redis(store):  # noqa: F811
    """A server that knows where Redis is."""
    store.start()
    with Server(FOLDER) as server:
        yield server


def test_all_of_them_are_in_the_gallery_with_their_descriptions(old, pages):
    page = pages.open(old)
    links = page.locator("a.d-box")
    assert sorted(link.get_attribute("href").strip("/") for link in links.all()) == NAMES
    for text in ("A greeting", "Labels at the points"):
        expect(page.get_by_text(text)).to_be_visible()
    expect(page.locator("math").first).to_be_visible()


def test_helloworld_needs_no_base_template(old, pages):
    page = pages.open(old, "/helloworld/")
    expect(page.locator("#greeting b")).to_have_text("World")


def test_bagofchars_shows_what_page_and_analysis_say(old, pages):
    page = pages.open(old, "/bagofchars/")
    log = page.locator("#log")
    expect(log).to_contain_text('backend (log): {"backend":"listens"}')
    page.locator("#words").fill("Abba")
    page.get_by_role("button", name="Submit").click()
    expect(log).to_have_text(re.compile(r'frontend: Abba\n.*{"a":2,"b":2}$'))
    page.get_by_text("templates/bagofchars.html", exact=True).click()
    expect(page.locator("code.language-html")).to_contain_text("genericElements.log")


def test_bagofcharsd3_draws_slices_with_d3_and_a_script_of_its_own(old, pages):
    page = pages.open(old, "/bagofcharsd3/")
    slices = page.locator("#viz path.slice")
    expect(slices).to_have_count(5)  # of what the page emitted before it was connected
    page.locator("#words").press_sequentially("abb")
    expect(slices).to_have_count(2)
    expect(page.locator("math").first).to_be_visible()
    assert page.locator("#viz path.slice[data-label=b]").get_attribute("d").startswith("M")


def test_mpld3pi_draws_its_histograms_anew(old, pages):
    page = pages.open(old, "/mpld3pi/")
    expect(page.locator("#log")).to_contain_text('{"action":"done"}')
    expect(page.locator("#pi")).to_have_text(re.compile(r"^\d\.\d{3} ± 0\.\d{3}$"))
    expect(page.locator(FIGURE)).to_have_count(1)
    assert page.locator(f"{FIGURE} .mpld3-axes, {FIGURE} .mpld3-baseaxes").count() >= 2
    assert page.locator(f"{FIGURE} .mpld3-path").count() >= 100


def test_mpld3PointLabel_shows_the_label_of_a_point(old, pages):
    page = pages.open(old, "/mpld3PointLabel/")
    points = page.locator(POINTS)
    expect(points).to_have_count(20)
    points.nth(3).dispatch_event("mouseover")
    expect(page.get_by_text("Point 3")).to_be_visible()


def test_mpld3Drag_moves_a_point_and_its_line(old, pages):
    page = pages.open(old, "/mpld3Drag/")
    points = page.locator(POINTS)
    expect(points).to_have_count(4)
    line = page.locator(f"{FIGURE} .mpld3-paths > .mpld3-path").first
    before = line.get_attribute("d")
    box = points.nth(1).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 10, y + 40, steps=4)
    page.mouse.up()
    assert abs(points.nth(1).bounding_box()["y"] - box["y"] - 40) < 4
    assert line.get_attribute("d") != before


def test_a_page_of_mpld3_without_mpld3_says_what_to_install(old, pages):
    page = pages.open(old)
    empty = {"body": "", "content_type": "text/javascript"}
    page.route("**/_static/mpld3*", lambda route: route.fulfill(**empty))
    page.goto(f"{old.url}/mpld3PointLabel/")
    expect(page.locator("#mpld3canvas")).to_contain_text("pip install 'databench[mpld3]'")


def test_redispub_and_redissub_hear_of_one_another(over_redis, pages):
    listening = pages.open(over_redis, "/redissub/")
    expect(listening.locator("#log")).to_contain_text("backend started")
    sending = pages.open(over_redis, "/redispub/")
    # Of the function that `connect` marks, and of a session of its own.
    expect(listening.locator("#received")).to_have_text(re.compile(r"^\d\d\.\d$"))
    expect(sending.locator("#databench-alerts .alert")).to_have_count(0)


def test_slowpi_puts_its_own_function_into_the_queue(over_redis, store, pages):  # noqa: F811
    page = pages.open(over_redis, "/slowpi/")
    worker = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "rq.cli",
            "worker",
            "--url",
            store.url,
            "--quiet",
            "--worker-class",
            "rq.SimpleWorker",
        ],
        cwd=FOLDER.parent,
        env={**os.environ, "PYTHONPATH": f"{FOLDER.parent}:{FOLDER.parents[3]}"},
    )
    try:
        expect(page.locator("#log")).to_contain_text('{"action":"done"}')
        expect(page.locator("#log")).to_contain_text('"draws":300}')
        expect(page.locator("#pi-estimate")).to_have_text(re.compile(r"^\d\.\d{3} ± 0\.\d{3}$"))
    finally:
        worker.terminate()
        worker.wait()


def test_tabs_labels_markdown_and_a_programs_text(old, pages):
    page = pages.open(old, "/tabs/")
    expect(page.locator("#pi")).to_have_text("3.125 ± 0.250")
    expect(page.locator(".view:visible")).to_have_count(1)
    expect(page.locator("code.language-html").first).to_contain_text('<input ng-model="words">')
    page.locator("#words").fill("typed")
    expect(page.locator("#shown.label-info")).to_have_text("typed")
    page.get_by_role("link", name="Experiment").click()
    expect(page.locator("#experiment math").first).to_be_visible()
    expect(page.locator(".nav-tabs .active")).to_have_text("Experiment")
