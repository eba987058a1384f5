"""`index.yaml`: what it may say, read and checked."""

from .checks import IMAGES
from .index import FILE, RESERVED, Entry, Index, load
from .single import of_script

__all__ = ["FILE", "IMAGES", "RESERVED", "Entry", "Index", "load", "of_script"]
