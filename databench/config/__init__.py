"""`index.yaml`: what it may say, read and checked."""

from .index import FILE, RESERVED, Entry, Index, load

__all__ = ["FILE", "RESERVED", "Entry", "Index", "load"]
