"""`class_data` for handlers of `routes.py`: the values that an analysis' sessions share.

Only here does the front make values of JSON, because a handler asks for them. Messages
between pages and kernels pass through undecoded.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, Protocol

from ... import payload


class Stored(Protocol):
    """A value of the store."""

    stored: bytes
    version: int


class ClassValueTable(Protocol):
    """The part of the broker that this uses: see `ClassValues`."""

    def values(self, analysis: str) -> Any:
        """Pairs of a key and what is `Stored` under it."""

    def get(self, analysis: str, key: str) -> Stored | None:
        """The value of that key."""

    def write(self, analysis: str, key: str, encoded: bytes, *, base: int | None) -> bool:
        """Write; False if `base` is no longer the current version."""


class HandlerClassData:
    """The values that all sessions of one analysis share, for a handler.

    `await self.class_data` is a dict of them all. They are there before a kernel runs; what a
    handler changes reaches every open page and the kernel.

    Args:
        values: Of the broker.
        analysis: The analysis' name.
    """

    def __init__(self, values: ClassValueTable, analysis: str) -> None:
        self._values = values
        self._analysis = analysis

    def __await__(self) -> Generator[Any, None, dict[str, Any]]:
        return self._read().__await__()

    async def get(self, key: str, default: Any = None) -> Any:
        """The value of that key, or the default.

        Args:
            key: Its name.
            default: The result if there is no value.
        """
        stored = self._find(key)
        return default if stored is None else payload.decode(stored.stored, exact=True)

    async def set(self, key: str, value: Any) -> None:
        """Set a value, whatever it was before.

        Args:
            key: Its name.
            value: Anything that has a JSON form.

        Raises:
            TypeError: It has none, or the key is not text.
            DatabenchError: It is over a limit; nothing was stored.
        """
        self._write(key, payload.encode(value, name="value", key=str(key)), base=None)

    async def set_state(
        self,
        updater: Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
        **values: Any,
    ) -> None:
        """Set several values.

        Args:
            updater: The values, or a function that makes them of a dict of all that there are.
            values: More of them.

        Raises:
            TypeError: As in `set`.
            DatabenchError: As in `set`; those before it are stored.
        """
        if callable(updater):
            updater = updater(await self._read())
        for key, value in {**(updater or {}), **values}.items():
            await self.set(key, value)

    async def change(self, key: str, function: Callable[[Any], Any]) -> Any:
        """Change a value by a function of its value, so that no other change is lost.

        Args:
            key: Its name.
            function: Of the current value (`None` if there is none); called again when a
                kernel was faster.

        Returns:
            The new value.

        Raises:
            TypeError: As in `set`.
            DatabenchError: As in `set`, or others were faster too often.
        """

        def read() -> tuple[int, Any]:
            stored = self._find(key)
            if stored is None:
                return 0, None
            return stored.version, payload.decode(stored.stored, exact=True)

        async def write(encoded: bytes, base: int) -> bool:
            return self._write(key, encoded, base=base)

        return await payload.change(key, function, read=read, write=write)

    async def _read(self) -> dict[str, Any]:
        values = self._values.values(self._analysis)
        return {key: payload.decode(stored.stored, exact=True) for key, stored in values}

    def _find(self, key: str) -> Stored | None:
        return self._values.get(self._analysis, key)

    def _write(self, key: str, encoded: bytes, *, base: int | None) -> bool:
        if not isinstance(key, str) or not _is_text(key):
            raise TypeError(f"key of class_data is {key!r:.80}, expected text; not stored")
        return self._values.write(self._analysis, key, encoded, base=base)


def _is_text(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:  # a lone surrogate, which the wire to kernels does not carry
        return False
    return True
