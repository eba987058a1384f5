"""Changing a value that others change too: by a function of its value, so that no change is lost.

The value's owner counts its versions, and refuses a write whose base is no longer current
(compare and set). Then the new value is computed again, from the value of that moment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..errors import DatabenchError
from .codec import clone

# Each attempt that fails means that another write came first, so the loop ends; beyond it
# the value changes faster than this process can answer.
ATTEMPTS = 1000


async def change(
    key: str,
    function: Callable[[Any], Any],
    *,
    read: Callable[[], tuple[int, Any]],
    write: Callable[[bytes, int], Awaitable[bool]],
) -> Any:
    """Change a value of `class_data`.

    Args:
        key: Its name.
        function: Of the current value (`None` if there is none); called once for each attempt.
        read: The value's version (0: there is none) and the value.
        write: Takes the new value, JSON, and the version that it replaces; False: another write
            came first.

    Returns:
        The new value.

    Raises:
        TypeError: The new value has no JSON form.
        DatabenchError: Others were faster, `ATTEMPTS` times.
    """
    for _ in range(ATTEMPTS):
        version, current = read()
        encoded, plain = clone(function(current), name="value", key=str(key))
        if await write(encoded, version):
            return plain
    raise DatabenchError(
        f"class_data {key!r:.80} was changed by others {ATTEMPTS} times, limit {ATTEMPTS}; "
        "not stored: change it less often"
    )
