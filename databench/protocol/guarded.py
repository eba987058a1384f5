"""Frames with a part that not every page may see, such as a traceback."""

from __future__ import annotations


class Guarded(bytes):
    """A frame with a part that is for those alone who may administer the server.

    Attributes:
        public: The frame as all others get it.
    """

    hidden: slice
    instead: bytes

    @property
    def public(self) -> bytes:
        """Made when it is asked for: few are, and a ring holds many frames."""
        return self[: self.hidden.start] + self.instead + self[self.hidden.stop :]


def guard(before: bytes, hidden: bytes, after: bytes, *, instead: bytes = b"") -> bytes:
    """A frame with a part that not every page may see; a plain one if that is empty."""
    if not hidden:
        return before + instead + after
    frame = Guarded(before + hidden + after)
    frame.hidden = slice(len(before), len(before) + len(hidden))
    frame.instead = instead
    return frame
