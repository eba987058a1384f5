"""`index.yaml`: what it may say, read and checked."""

from .checks import IMAGES
from .index import FILE, RESERVED, Entry, Index, load

__all__ = ["FILE", "IMAGES", "RESERVED", "Entry", "Index", "load"]
