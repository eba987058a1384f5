"""Whose frames are handled next: pages take turns, as kernels do.

A turn is one round of the event loop. In it each page has a share of frames and bytes, and all of
them together have a time; a page that goes beyond waits in a queue, and those at its head have the
next turn. The first frames of a page that was quiet are handled at once: only what follows them
waits. Decides; `front.pace` has the clock and pauses the reading.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

Page = TypeVar("Page")


class Turns(Generic[Page]):
    """The queue of pages that used up their turn.

    Args:
        page_frames: Frames of one page in one turn.
        page_bytes: Bytes of one page in one turn.
        pages: Pages from the queue that have one turn.
        turn_s: After this a turn handles no second frame of any page.
    """

    def __init__(self, *, page_frames: int, page_bytes: int, pages: int, turn_s: float) -> None:
        self._page_frames = page_frames
        self._page_bytes = page_bytes
        self._pages = pages
        self._turn_s = turn_s
        self._queue: deque[Page] = deque()
        self._used: dict[Page, tuple[int, int]] = {}
        self._began_s = 0.0

    def __len__(self) -> int:
        return len(self._queue)

    def begin(self, now_s: float) -> list[Page]:
        """A turn begins: the waiting pages that have it, which wait no longer.

        Args:
            now_s: The monotonic clock.
        """
        self._began_s = now_s
        self._used.clear()
        return [self._queue.popleft() for _ in range(min(self._pages, len(self._queue)))]

    def note(self, page: Page, size_bytes: int, now_s: float) -> bool:
        """A frame was handled; whether the page's next one waits for a later turn.

        Args:
            page: Whose it was; not one that waits.
            size_bytes: Of the frame.
            now_s: The monotonic clock.
        """
        frames, of_page = self._used.get(page, (0, 0))
        frames, of_page = frames + 1, of_page + size_bytes
        is_over = (
            frames >= self._page_frames
            or of_page >= self._page_bytes
            or now_s - self._began_s >= self._turn_s
        )
        if is_over:
            self._queue.append(page)
        else:
            self._used[page] = (frames, of_page)
        return is_over
