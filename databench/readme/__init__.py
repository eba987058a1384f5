"""Readmes: found, read and made into HTML that holds no HTML of its author."""

from .markdown import render_markdown
from .readme import Readme, find_candidates, summarize

__all__ = ["Readme", "find_candidates", "render_markdown", "summarize"]
