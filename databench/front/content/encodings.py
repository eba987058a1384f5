"""Compressed forms of an answer: which ones a browser takes, which ones pay, and how to make them.

The front compresses only what it keeps (`cache`), once, and that depends on no visitor: so no
secret of a page is compressed beside words that a stranger chose (the attack BREACH). Brotli is
available if one of its libraries is installed.
"""

from __future__ import annotations

import functools
import importlib
import zlib
from typing import Any

GZIP = "gzip"
BROTLI = "br"
_LEAST_BYTES = 1000  # below it, headers and packets are what counts
_GZIP_LEVEL = 9
_GZIP_WINDOW = 16 + zlib.MAX_WBITS  # with gzip's header, whose time is 0: the same bytes each time
_BROTLI_QUALITY = 9  # of 11, which takes ten times as long for 3 % less
_KINDS = ("text/", "application/json", "application/wasm", "application/xml", "image/svg+xml")
# Compressed content stays as it is, whatever its type: all others.


@functools.cache
def _find_brotli() -> Any:
    for name in ("brotli", "brotlicffi"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def choose(accepted: str) -> str:
    """The encoding in which a browser gets a body; empty: as it is.

    Args:
        accepted: The header `Accept-Encoding` (RFC 9110 section 12.5.3).
    """
    if len(accepted) > _ACCEPTED_CHARACTERS:  # whole parts: a quality of 0 belongs to its name
        accepted = accepted[:_ACCEPTED_CHARACTERS].rpartition(",")[0]
    return _choose(accepted, has_brotli=_find_brotli() is not None)


_ACCEPTED_CHARACTERS = 256  # a browser's has less than 30


@functools.lru_cache(maxsize=64)
def _choose(accepted: str, *, has_brotli: bool) -> str:
    qualities: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, parameter = (word.strip() for word in part.partition(";"))
        try:
            quality = float(parameter.removeprefix("q=")) if parameter else 1.0
        except ValueError:
            quality = 0.0
        qualities[name] = min(quality, qualities.get(name, 1.0))
    rest = qualities.get("*", 0.0)
    offered = (BROTLI, GZIP) if has_brotli else (GZIP,)
    best = max(offered, key=lambda name: qualities.get(name, rest))  # the first of equals
    return best if qualities.get(best, rest) > 0 else ""


def pays(kind: str, size_bytes: int) -> bool:
    """Whether to compress a body.

    Args:
        kind: Its `Content-Type`.
        size_bytes: Its length.
    """
    return size_bytes >= _LEAST_BYTES and kind.startswith(_KINDS)


def encode(body: bytes, encoding: str) -> bytes:
    """A body in an encoding; empty if that is hardly shorter."""
    if encoding == BROTLI:
        form = bytes(_find_brotli().compress(body, quality=_BROTLI_QUALITY))
    else:
        packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        form = packer.compress(body) + packer.flush()
    return form if len(form) < 0.95 * len(body) else b""
