"""By which limit a kernel and all that it starts are known: a brand.

A brand is a limit that limits nothing: so many microseconds without a pause in real-time
scheduling (RLIMIT_RTTIME, getrlimit(2)), beyond fifty thousand years. Children inherit it through
everything that loses a word in the environment: an environment of their own, a session of their
own, and the end of their parents. The hard limit says which front they belong to; the soft one is
so far below it as the kernel's name says, so that a kernel can tell its own brand from one that it
inherited.
"""

from __future__ import annotations

# A front that a kernel of another one has started can only take a lower one than it has.
HIGHEST = 2**62
LOWEST = 2**61
_LETTERS = 7  # of a random word: 40 bits or more, and a distance below 2**56


def find_soft(hard: int, name: bytes) -> int:
    """The soft limit of a kernel.

    Args:
        hard: The hard limit of its front.
        name: Ends with a random word.
    """
    return hard - int.from_bytes(name[-_LETTERS:], "big")


def is_own(soft: int, hard: int, name: bytes) -> bool:
    """Whether these are the limits that the front gave to the kernel of that name."""
    return LOWEST < hard < HIGHEST and soft == find_soft(hard, name)
