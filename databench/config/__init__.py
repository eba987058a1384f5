"""`index.yaml`: its keys, read and checked."""

from .checks import IMAGES
from .discovery import RESERVED, find_problem
from .index import Entry, Index, load
from .names import INDEX_FILE, MODULE_FILE, OTHERS_FOLDERS, ROUTES_FILE
from .nodes import prepare
from .single import of_script

__all__ = [
    "IMAGES",
    "INDEX_FILE",
    "MODULE_FILE",
    "OTHERS_FOLDERS",
    "RESERVED",
    "ROUTES_FILE",
    "Entry",
    "Index",
    "find_problem",
    "load",
    "of_script",
    "prepare",
]
