"""Readmes: found, read and made into HTML that holds no HTML of its author."""

from .markdown import render_markdown
from .readme import Readme, summarize

__all__ = ["Readme", "render_markdown", "summarize"]
