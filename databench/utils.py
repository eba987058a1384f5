"""Figures and values in forms that a page takes, for use in analyses."""

from __future__ import annotations

import base64
import io
import re
from typing import Any, Protocol
from urllib.parse import quote

from .payload import decode, encode

# Characters at which an address ends, or that it loses: `%`, `#`, white space but for blanks, and
# all that is not ASCII.
_UNSAFE = re.compile(r"[%#\x00-\x1f\x7f-\U0010ffff]+")


class Figure(Protocol):
    """Figures of matplotlib and others with the same method."""

    def savefig(self, fname: Any, *, format: str, dpi: float) -> Any:
        """Write the figure as an image into a file."""


def fig_to_src(figure: Figure, image_format: str = "png", dpi: float = 80) -> str:
    """A figure as the `src` of an image.

    Args:
        figure: A matplotlib figure.
        image_format: `png` or `svg`.
        dpi: Dots per inch; a figure of 6 by 4 inches is 480 by 320 pixels at 80.

    Raises:
        ValueError: The format is another one.
    """
    if image_format not in ("png", "svg"):
        raise ValueError(f"image_format {image_format!r:.40}, expected 'png' or 'svg'; not drawn")
    file = io.BytesIO()
    figure.savefig(file, format=image_format, dpi=dpi)
    image = file.getvalue()
    return png_to_src(image) if image_format == "png" else svg_to_src(image.decode("utf-8"))


def png_to_src(png: bytes) -> str:
    """A PNG image as the `src` of an image."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def svg_to_src(svg: str) -> str:
    """An SVG image as the `src` of an image; characters that end an address are escaped."""
    return "data:image/svg+xml;utf8," + _UNSAFE.sub(lambda found: quote(found[0]), svg)


def json_encoder_default(value: Any) -> Any:
    """For `json.dumps(value, default=json_encoder_default)`, which writes values as Databench does.

    Sets and NumPy arrays become lists, NumPy numbers numbers, dates text.

    Raises:
        TypeError: The value can't be sent as JSON.
    """
    return decode(encode(value, name="value"))
