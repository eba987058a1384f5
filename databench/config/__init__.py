"""`index.yaml`: what it may say, read and checked."""

from .checks import IMAGES
from .discovery import RESERVED, find_problem
from .index import FILE, Entry, Index, load
from .nodes import prepare
from .single import of_script

__all__ = [
    "FILE",
    "IMAGES",
    "RESERVED",
    "Entry",
    "Index",
    "find_problem",
    "load",
    "of_script",
    "prepare",
]
