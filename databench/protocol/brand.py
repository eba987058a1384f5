"""The brand: the limit by which a front knows a kernel and everything that the kernel started.

A brand is a limit without an effect: a number of microseconds without a pause in real-time
scheduling (RLIMIT_RTTIME, getrlimit(2)), beyond fifty thousand years. Children inherit it even if
they lose a variable of the environment: with another environment, in another session, and after
the end of their parents. The hard limit names the front; the soft one is lower by the number in the
kernel's name, so a kernel can distinguish its own brand from one that it
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
