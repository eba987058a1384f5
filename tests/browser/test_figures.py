"""Figures of `databench.utils` in a real browser."""

import textwrap

import pytest
from playwright.sync_api import expect

ANALYSIS = """
from matplotlib.figure import Figure

import databench


class Figures(databench.Analysis):
    @databench.on
    def connected(self):
        figure = Figure(figsize=(3, 2))
        axes = figure.add_subplot()
        axes.plot([0, 1, 2], [0, 1, 4], color='#cc0000', linewidth=20)
        axes.set_title('π ≈ 100 % # é')
        yield self.data.init(
            png=databench.utils.fig_to_src(figure),
            svg=databench.utils.fig_to_src(figure, image_format='svg'),
        )
"""
PAGE = """
{% extends "analysis.html" %}
{% block analysis %}
<img id="png" data-signal="data:png" alt="png"><img id="svg" data-signal="data:svg" alt="svg">
{% end %}
"""
# How many pixels of an image are as red as the line.
REDS = """image => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let reds = 0;
  for (let i = 0; i < data.length; i += 4) reds += data[i] === 204 && data[i + 1] === 0;
  return reds;
}"""


@pytest.fixture
def page(serve, pages, tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "analysis.py").write_text(textwrap.dedent(ANALYSIS))
    (tmp_path / "figures" / "index.html").write_text(PAGE.lstrip())
    return pages.open(serve(tmp_path), "/figures/")


def test_a_figure_is_drawn_as_png_and_as_svg(page):
    for name, width in (("png", 240), ("svg", 288)):  # 80 dots an inch; 72 points of 4/3 pixels
        image = page.locator(f"#{name}")
        expect(image).to_have_js_property("naturalWidth", width)
        assert image.evaluate(REDS) > 500
