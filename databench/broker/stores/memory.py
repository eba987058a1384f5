"""A store in this process: what it keeps lives as long as the object does.

For a front that is begun again within one process, as tests and simulations do.
"""

from __future__ import annotations

from .base import Contents, Pending


class MemoryStore:
    """See `Store`.

    Args:
        contents: What an earlier one kept.
    """

    problem = ""
    notice = ""

    def __init__(self, contents: Contents | None = None) -> None:
        self.contents = Contents() if contents is None else contents
        self.key = self.contents.key
        self.pending = Pending(self.contents.ids())

    def load(self) -> Contents:
        """See `Store.load`."""
        loaded = Contents()
        loaded.update(self.contents)
        return loaded

    def commit(self) -> bool:
        """See `Store.commit`."""
        self.contents.update(self.pending.take())
        return True

    def flush(self) -> bool:
        """See `Store.flush`."""
        return self.commit()

    def close(self) -> None:
        """See `Store.close`."""
        self.commit()
