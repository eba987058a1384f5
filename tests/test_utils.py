"""Figures as addresses, and values for the standard encoder."""

import base64
import datetime
import json
import urllib.parse
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import databench
from databench.utils import fig_to_src, json_encoder_default, png_to_src, svg_to_src

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def figure():
    matplotlib = pytest.importorskip("matplotlib.figure")
    figure = matplotlib.Figure(figsize=(3, 2))
    axes = figure.add_subplot()
    axes.plot([0, 1, 2], [0, 1, 4], color="#cc0000")
    axes.set_title("π ≈ 100 %")
    return figure


def test_the_module_is_reached_through_the_package():
    assert databench.utils.png_to_src is png_to_src


@pytest.mark.slow
def test_a_figure_becomes_a_png_of_its_size(figure):
    src = fig_to_src(figure)
    image = base64.b64decode(src.removeprefix("data:image/png;base64,"), validate=True)
    assert image.startswith(PNG)
    width, height = (int.from_bytes(image[i : i + 4], "big") for i in (16, 20))
    assert (width, height) == (240, 160)
    assert len(fig_to_src(figure, dpi=160)) > len(src)


@pytest.mark.slow
def test_a_figure_becomes_an_svg_whose_address_keeps_all_of_it(figure):
    src = fig_to_src(figure, image_format="svg")
    assert src.startswith("data:image/svg+xml;utf8,<?xml")
    assert not set(src) & set("#\n\r\t")
    root = ET.fromstring(urllib.parse.unquote(src.partition(",")[2]))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_another_format_is_refused():
    with pytest.raises(ValueError, match="image_format 'pdf', expected 'png' or 'svg'"):
        fig_to_src(None, image_format="pdf")


def test_a_png_is_written_in_base64():
    assert png_to_src(PNG) == "data:image/png;base64,iVBORw0KGgo="


@pytest.mark.parametrize(
    ("svg", "escaped"),
    [
        ('<?xml version="1.0"?><svg/>', '<?xml version="1.0"?><svg/>'),
        ("100%", "100%25"),
        ("url(#a)", "url(%23a)"),
        ("a\r\nb\tc", "a%0D%0Ab%09c"),
        ("π\U0001f600", "%CF%80%F0%9F%98%80"),
    ],
)
def test_an_svg_is_escaped_where_an_address_would_break(svg, escaped):
    assert svg_to_src(svg) == "data:image/svg+xml;utf8," + escaped
    assert urllib.parse.unquote(escaped) == svg


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({3}, "[3]"),
        (np.arange(3), "[0, 1, 2]"),
        (np.float64(0.5), "0.5"),
        (np.int64(2), "2"),
        (np.float32("nan"), "null"),
        (datetime.date(2020, 1, 2), '"2020-01-02"'),
        ([np.array([[1]]), {"a": frozenset()}], '[[[1]], {"a": []}]'),
    ],
)
def test_the_standard_encoder_takes_what_databench_sends(value, text):
    assert json.dumps(value, default=json_encoder_default) == text


def test_what_has_no_json_form_is_refused():
    with pytest.raises(TypeError, match="of type object and can't be sent as JSON"):
        json.dumps(object(), default=json_encoder_default)
