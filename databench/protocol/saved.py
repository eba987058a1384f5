"""The part of a session that outlives the front: taken from a session, and made one again.

The ring does not: it changes with each frame, and a page that comes back gets the state in its
offset. So a session that is revived begins with a gap, and an end for each request that was open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from ..settings import Settings
from . import text
from .records import ProcessId
from .session import Session

# Only a page that lost its connection just then sends an id again: the newest ones are enough.
SAVED_IDS = 256
RESTARTED = "the server was restarted"


@dataclass(frozen=True, slots=True)
class Saved:
    """A session without its values, as a store keeps it.

    Attributes:
        analysis: The name of its analysis.
        request_args: The query string of the page that began it.
        left_s: When its last page went, as Unix time; `None` while a page is there.
        is_unseen: Whether it has an end that no page has seen, or will have one.
        open: The requests without an end: process id and action.
        recent: Process ids that ended, the oldest first.
        visitor: See `Session`.
        address: The network of who began it: see `clients`.
    """

    analysis: str
    request_args: str
    left_s: float | None
    is_unseen: bool
    open: tuple[tuple[ProcessId, str], ...] = ()
    recent: tuple[ProcessId, ...] = ()
    visitor: str = ""
    address: str = ""


def save(session: Session, analysis: str, left_s: float | None, address: str = "") -> Saved:
    """What a store keeps of a session in addition to its values."""
    requests = session.requests.values()
    recent = list(islice(reversed(session.recent), SAVED_IDS))
    return Saved(
        analysis,
        session.request_args,
        left_s,
        session.is_unseen or bool(requests),
        tuple((r.process_id, r.action) for r in requests if r.process_id is not None),
        tuple(reversed(recent)),
        session.visitor,
        address,
    )


def revive(
    id_: str,
    saved: Saved,
    values: Mapping[str, tuple[bytes, bytes]],
    *,
    epoch: str,
    limits: Settings,
) -> Session:
    """A session as it was, as far as it was kept.

    Args:
        id_: Its id.
        saved: What was kept of it.
        values: Its `data` by key: as pages see it, as kernels get it back.
        epoch: A new one: its ring is not the one that pages knew.
        limits: An object with the settings' attributes.
    """
    args, visitor = saved.request_args, saved.visitor
    session = Session(id_, epoch=epoch, request_args=args, limits=limits, visitor=visitor)
    session.ring.skip()
    session.last_end = session.ring.offset if saved.is_unseen else 0
    for key, (shown, stored) in values.items():
        session.data.hold(key, shown, stored)
    session.recent.update(dict.fromkeys(saved.recent))
    session.ended_before.update(saved.recent)
    for process_id, action in saved.open:
        problem = f"action {action!r} is lost: {RESTARTED} while it ran"
        session.append(text.compose_value("error", problem))
        end = text.compose_failure(process_id, "lost", "ServerRestarted", problem, b"")
        session.append(end, is_end=True)
        session.recent[process_id] = None
    return session
