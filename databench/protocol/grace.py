"""How long a session without a page is kept, and why one is closed (docs/protocol.md, 9). Pure.

A session is closed when its grace is over. Beyond `session_grace_s` it is kept for a result alone,
and all that are so kept share a limit of bytes: see `waiting`.
"""

from __future__ import annotations

from ..settings import Settings

NOBODY_CAME = "no page came back in time"
NO_ROOM = "the server's memory for results that no page saw is full"
SHOWN = (
    "The server's memory for results that no page has seen was full, so it closed your earlier "
    "session, the oldest with such a result. Run the action again."
)


def find_grace_s(limits: Settings, *, is_unseen: bool) -> float:
    """How long a session is kept after its last page.

    Args:
        limits: An object with the settings' attributes.
        is_unseen: Whether it has an end that no page has seen.
    """
    grace_s = float(limits.session_grace_s)
    return max(float(limits.result_grace_s), grace_s) if is_unseen else grace_s
