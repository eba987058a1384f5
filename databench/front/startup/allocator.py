"""How this process keeps freed memory, and what garbage collection never visits.

glibc gives the end of its heap back to the system as soon as more than about twice the largest
block is free there (mallopt(3), M_TRIM_THRESHOLD). Messages of a megabyte come and go all the
time: each took the pages again that the one before had given back, a third of its cost. With other
C libraries, this module does nothing.
"""

from __future__ import annotations

import ctypes
import gc

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
KEPT_BYTES = 2**25  # this much may lie free at the end of the heap
# Larger blocks have separate pages, which go back at once. glibc would choose by the largest
# block that was freed, up to twice as much as this.
OWN_PAGES_BYTES = 2**24


def keep_freed() -> bool:
    """Keep up to `KEPT_BYTES` of freed memory; in the server, which passes large messages on.

    Returns:
        Whether the C library takes it.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    taken = mallopt(_M_MMAP_THRESHOLD, OWN_PAGES_BYTES), mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
    return taken == (1, 1)


def exempt_loaded() -> None:
    """Exempt from garbage collection what is there now: modules, classes, settings, analyses.

    It stays until the end. Otherwise each full collection looks at all of its 40,000 objects,
    for 20 ms in which the loop answers no page; one came with every 500 pages that joined.
    """
    gc.freeze()
