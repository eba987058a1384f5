"""The result of `Analysis.progress`: an iterable that reports its progress."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Say = Callable[[float, float | None], None]


class ProgressIterator(Generic[T]):
    """Goes through items, by `for` or `async for`, and reports the progress.

    Args:
        items: What to iterate over.
        total: Number of items, if `len(items)` does not give it.
        say: Called with the number of items that are done, and the total.
    """

    def __init__(
        self, items: Iterable[T] | AsyncIterable[T], total: float | None, say: Say | None
    ) -> None:
        self._items: Any = items  # `for` over an iterable that needs `async for` fails there
        self._say_so = say
        if total is None:
            try:
                total = len(items)  # type: ignore[arg-type]
            except TypeError:
                pass
        self.total = total

    def _say(self, value: int) -> None:
        if self._say_so is not None:
            self._say_so(value, self.total)

    def __iter__(self) -> Iterator[T]:
        self._say(0)
        for done, item in enumerate(self._items, 1):
            yield item
            self._say(done)

    async def __aiter__(self) -> AsyncIterator[T]:
        self._say(0)
        done = 0
        if hasattr(self._items, "__aiter__"):
            async for item in self._items:
                yield item
                done += 1
                self._say(done)
            return
        for item in self._items:
            yield item
            done += 1
            self._say(done)
