"""Keyed values that signal their changes.

Owns the values of every domain in this process. A value is plain JSON: the store keeps a copy,
returns a copy, and a change is a change of the JSON text. It knows nothing of sessions or
sockets: code that wants to get changes registers.

Theory of operation: `Datastore.lock` guards the step "store the value and notify the observers", so
that messages leave in the order in which values were stored. Observers (the kernel) prepare their
message before the lock is taken and only commit inside; users' callbacks run outside of it.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Awaitable, Callable, Generator, ItemsView, Iterator, Mapping
from typing import Any, ClassVar, Protocol

from .payload import clone, decode

Commit = Callable[[], Any]
Prepare = Callable[[str, Any, bytes], Commit]
Updater = Mapping[str, Any] | Callable[["Datastore"], Mapping[str, Any]]


# Domain and key of the change that callbacks are getting, in the code that they run.
telling: contextvars.ContextVar[tuple[str, str] | None] = contextvars.ContextVar(
    "databench_telling", default=None
)


class MissingKeyError(KeyError, IndexError):
    """There is no value for this key."""


class Results(list[Any]):
    """The results of the subscribers of a change: a list that can be awaited.

    Awaiting it awaits each item that is awaitable, in order, and gives the list of their results.
    """

    def __await__(self) -> Generator[Any, Any, list[Any]]:
        results = []
        for item in self:
            if isinstance(item, Awaitable):
                item = yield from item.__await__()
            results.append(item)
        return results


class Changer(Protocol):
    """Changes values that other processes have too."""

    def change(self, key: str, function: Callable[[Any], Any]) -> Awaitable[Any]:
        """See `Datastore.change`."""

    def change_state(self, updater: Callable[[Any], Mapping[str, Any]]) -> Awaitable[Any]:
        """Change what a function of the whole state returns, each value by `change`."""


class _Domain:
    """The values of one domain, and the stores that look at them."""

    __slots__ = ("changer", "encoded", "plain", "stores")

    def __init__(self) -> None:
        self.encoded: dict[str, bytes] = {}
        self.plain: dict[str, Any] = {}
        self.stores: list[Datastore] = []
        self.changer: Changer | None = None


def _nothing() -> None:
    pass


class Datastore:
    """A key-value store that reports changes to the callbacks that registered.

    Stores of one domain in one process share their values.

    Args:
        domain: Whose values these are: a session's id, or the name of an analysis class.
        release_storage: Whether the values are freed when the last store of the domain closes.

    Attributes:
        domain: As given.
        declared: The names that `init` was called with.
    """

    # One lock for all domains. The kernel puts its own here: what runs under it is not cancelled.
    lock: ClassVar[Any] = threading.RLock()
    # Called after a change, outside of the lock: the kernel raises a deferred cancel here.
    settle: ClassVar[Callable[[], None]] = staticmethod(_nothing)
    _domains: ClassVar[dict[str, _Domain]] = {}

    def __init__(self, domain: str, release_storage: bool = False) -> None:
        self.domain = domain
        self.release_storage = release_storage
        self.declared: set[str] = set()
        self._callbacks: list[Callable[[str, Any], Any]] = []
        self._observers: list[Prepare] = []
        with self.lock:
            self._shared = self._domains.setdefault(domain, _Domain())
            self._shared.stores.append(self)

    # -- who gets changes

    def on_change(self, callback: Callable[[str, Any], Any]) -> Datastore:
        """Call `callback(key, value)` after each change; returns the store."""
        self._callbacks.append(callback)
        return self

    def subscribe(self, callback: Callable[[dict[str, Any]], Any]) -> Datastore:
        """Call `callback({key: value})` after each change; returns the store."""
        return self.on_change(lambda key, value: callback({key: value}))

    def observe(self, prepare: Prepare) -> Datastore:
        """Get each change in two steps; for the kernel.

        Args:
            prepare: Called with key, value and JSON text before the value is stored; returns what
                is called right when it is stored, under the lock. Its result is among `Results`.
                The text is empty if the value is deleted.
        """
        self._observers.append(prepare)
        return self

    @property
    def is_heard(self) -> bool:
        """Whether `on_change` or `subscribe` was called on this store."""
        return bool(self._callbacks)

    def trigger_changed(self, key: str) -> Results:
        """Call every callback as if the value of `key` had just changed.

        Raises:
            MissingKeyError: There is no such key.
        """
        plain, encoded = self[key], self._shared.encoded[key]
        return self._tell(key, self._commit(key, encoded, plain, again=True))

    def trigger_all_change_callbacks(self) -> Results:
        """`trigger_changed` for every key."""
        return Results(result for key in list(self) for result in self.trigger_changed(key))

    # -- reading

    def __getitem__(self, key: str) -> Any:
        try:
            value = self._shared.plain[key]
        except KeyError:
            raise MissingKeyError(key) from None
        # A container is handed out as a copy: no callback would see a change in place.
        return _copied(value)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`, or `default`."""
        return self[key] if key in self._shared.plain else default

    def get_encoded(self, key: str) -> bytes:
        """The value of `key` as JSON text.

        Raises:
            MissingKeyError: There is no such key.
        """
        try:
            return self._shared.encoded[key]
        except KeyError:
            raise MissingKeyError(key) from None

    def __contains__(self, key: object) -> bool:
        return key in self._shared.plain

    def __len__(self) -> int:
        return len(self._shared.plain)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._shared.plain))

    def keys(self) -> list[str]:
        """The names of all values."""
        return list(self._shared.plain)

    def values(self) -> list[Any]:
        """All values."""
        return [self[key] for key in self]

    def items(self) -> ItemsView[str, Any]:
        """All pairs of name and value."""
        return {key: self[key] for key in self}.items()

    def __repr__(self) -> str:
        return repr(dict(self.items()))

    # -- writing

    def __setitem__(self, key: str, value: Any) -> None:
        self.set(key, value)

    def set(self, key: str, value: Any) -> Results:
        """Store a copy of `value`; callbacks get the change.

        Returns:
            What the subscribers returned; empty if nothing changed.

        Raises:
            TypeError: The key is not a string, or the value can't be sent as JSON.
        """
        if not isinstance(key, str):
            raise TypeError(f"the key {key!r:.80} is not a string; not stored")
        encoded, plain = clone(value, name="value", key=key)
        if self._shared.encoded.get(key) == encoded:
            return Results()
        return self._tell(key, self._commit(key, encoded, plain))

    def __delitem__(self, key: str) -> None:
        self[key]
        commits = self._prepare(key, None, b"")
        with self.lock:
            self._shared.plain.pop(key, None)
            self._shared.encoded.pop(key, None)
            results = Results(commit() for commit in commits)
        type(self).settle()
        self._tell(key, results)

    def update(self, *values: Mapping[str, Any], **kwargs: Any) -> Results:
        """Store several values."""
        pairs = _merged(values, kwargs)
        return Results(result for key, value in pairs.items() for result in self.set(key, value))

    def set_state(self, updater: Updater | None = None, **kwargs: Any) -> Results:
        """Store what `updater` returns.

        Args:
            updater: A dict of values, or a function of this store that returns one.
            **kwargs: Further values.
        """
        if callable(updater) and self._shared.changer is not None:
            changing = self._shared.changer.change_state(updater)
            return Results([*self.update(kwargs), changing])
        values = updater(self) if callable(updater) else updater
        return self.update({} if values is None else values, **kwargs)

    def change(self, key: str, function: Callable[[Any], Any]) -> Awaitable[Any]:
        """Read, compute and write one value, so that no other write comes in between.

        Args:
            key: The value's name.
            function: Gets the value (`None` if there is none), returns the new one; it may be
                called more than once.

        Returns:
            An awaitable of the value that was stored. The change begins at once.
        """
        if self._shared.changer is not None:
            return self._shared.changer.change(key, function)
        with self.lock:
            results = self.set(key, function(self.get(key)))
        return _Changed(results, self[key])

    def set_changer(self, changer: Changer) -> None:
        """Hand `change` to the code that knows the other processes; for the kernel."""
        self._shared.changer = changer

    def init(self, *values: Mapping[str, Any], **kwargs: Any) -> Results:
        """Store values whose keys are absent, and declare all of these names."""
        pairs = _merged(values, kwargs)
        self.declared.update(pairs)
        return self.update({key: value for key, value in pairs.items() if key not in self})

    def restore(self, key: str, encoded: bytes) -> None:
        """Store a value without reporting it.

        Raises:
            ValueError: It is not JSON.
        """
        plain = decode(encoded, exact=True)
        with self.lock:
            self._shared.encoded[key], self._shared.plain[key] = encoded, plain

    def receive(self, key: str, encoded: bytes) -> Results:
        """Store a value that came from elsewhere: callbacks get it, observers do not."""
        if self._shared.encoded.get(key) == encoded:
            return Results()
        self.restore(key, encoded)
        return self._tell(key, Results())

    def close(self) -> None:
        """Get no more changes; free the values if that was asked for."""
        with self.lock:
            if self not in self._shared.stores:
                return
            self._shared.stores = [store for store in self._shared.stores if store is not self]
            self._callbacks, self._observers = [], []
            if self.release_storage and not self._shared.stores:
                self._domains.pop(self.domain, None)

    # -- the two steps of a change

    def _prepare(self, key: str, plain: Any, encoded: bytes) -> list[Commit]:
        stores = self._shared.stores
        return [prepare(key, plain, encoded) for store in stores for prepare in store._observers]

    def _commit(
        self, key: str, encoded: bytes, plain: Any, *, again: bool = False
    ) -> Results | None:
        """Store and notify observers; `None` when another thread has stored the same before."""
        commits = self._prepare(key, plain, encoded)
        with self.lock:
            if not again and self._shared.encoded.get(key) == encoded:
                return None
            self._shared.encoded[key], self._shared.plain[key] = encoded, plain
            results = Results(commit() for commit in commits)
        type(self).settle()
        return results

    def _tell(self, key: str, results: Results | None) -> Results:
        if results is None:
            return Results()
        callbacks = [call for store in self._shared.stores for call in store._callbacks]
        if callbacks:
            token = telling.set((self.domain, key))
            try:
                results.extend(callback(key, self.get(key)) for callback in callbacks)
            finally:
                telling.reset(token)
        return results


class _Changed:
    """The result of `change` if the value is stored already."""

    def __init__(self, results: Results, value: Any) -> None:
        self._results = results
        self._value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from self._results.__await__()
        return self._value


def _merged(values: tuple[Mapping[str, Any], ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for mapping in values:
        pairs.update(mapping)
    pairs.update(kwargs)
    return pairs


def _copied(value: Any) -> Any:
    """A copy of plain JSON; several times as fast as `copy.deepcopy`."""
    if type(value) is list:
        return [_copied(v) if type(v) in (list, dict) else v for v in value]
    if type(value) is dict:
        return {k: _copied(v) if type(v) in (list, dict) else v for k, v in value.items()}
    return value
