"""Figures of Matplotlib in the page, with mpld3 from its installed package, and without it."""

import math
import shutil
from pathlib import Path

from playwright.sync_api import expect

ANALYSES = Path(__file__).resolve().parents[2] / "analyses"
POINTS = "#figure svg g:not(.mpld3-paths) > .mpld3-path"


def test_figure_is_drawn_anew_while_pi_converges(server, pages):
    page = pages.open(server, "/mpld3pi/")
    expect(page.locator("#figure svg.mpld3-figure")).to_have_count(0)
    page.get_by_role("button", name="Run", exact=True).click()
    lines = page.locator("#figure svg .mpld3-paths > .mpld3-path")
    expect(lines).to_have_count(2)
    first = lines.first.get_attribute("d")
    expect(page.locator("#log")).to_contain_text('{"action":"done"}', timeout=60_000)
    assert page.locator("#figure svg.mpld3-figure").count() == 1
    assert len(lines.first.get_attribute("d")) > len(first)
    spans = page.locator("[data-signal^='data:pi.']")
    estimate, uncertainty = (float(text) for text in spans.all_inner_texts())
    assert 0.001 < uncertainty < 0.0015
    assert abs(estimate - math.pi) < 6 * uncertainty
    page.reload()
    expect(page.locator("#figure svg.mpld3-figure")).to_have_count(1)


def test_label_of_a_point_shows_where_one_points(server, pages):
    page = pages.open(server, "/mpld3PointLabel/")
    points = page.locator(POINTS)
    expect(points).to_have_count(20)
    points.nth(3).dispatch_event("mouseover")
    expect(page.get_by_text("point 3: ")).to_be_visible()


def test_dragged_point_moves_and_the_line_is_fitted_anew(server, pages):
    page = pages.open(server, "/mpld3Drag/")
    points = page.locator(POINTS)
    expect(points).to_have_count(5)
    fit = page.locator("[data-signal='data:fit']")
    before = fit.inner_text()
    box = points.nth(2).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 10, y + 40, steps=4)
    moved = points.nth(2).bounding_box()
    assert abs(moved["y"] - box["y"] - 40) < 4
    page.mouse.up()
    expect(fit).not_to_have_text(before)
    # Drawn anew by the analysis, at the place where it was dropped.
    expect(points).to_have_count(5)
    assert abs(points.nth(2).bounding_box()["y"] - moved["y"]) < 4


def test_without_mpld3_the_page_says_what_to_install(serve, pages, tmp_path):
    folder = shutil.copytree(ANALYSES, tmp_path / "analyses")
    # A kernel finds it first: the project's folder is the first of its path.
    (tmp_path / "mpld3.py").write_text("raise ImportError(\"No module named 'mpld3'\")")
    server = serve(folder)
    for name in ("mpld3pi", "mpld3PointLabel", "mpld3Drag"):
        page = pages.open(server, f"/{name}/")
        note = page.locator("[data-signal='data:note']")
        expect(note).to_contain_text("-m pip install 'databench[mpld3]'")
