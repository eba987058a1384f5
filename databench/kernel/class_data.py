"""Values shared by all sessions of a class: this kernel's copy of what the broker holds.

Every write goes to the broker and comes back with its version. While its own writes of a key are on
their way, the kernel ignores others' values for that key: the broker's answer to the last own write
has the current one.

Theory of operation: the broker answers the writes of a key in their order, so a queue per key
matches answers to writes. A write that names the version it replaces
(`Datastore.change`) is refused if another came first; the kernel computes it again and retries.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .. import payload
from ..analysis import Analysis
from ..datastore import Datastore
from ..protocol import messages as m
from ..protocol.codec import encode as encode_message
from .channel import KernelChannel, checkpoint

logger = logging.getLogger("databench.kernel")

Answer = concurrent.futures.Future[bool]


class ClassDataCopy:
    """The kernel's side of `class_data`.

    Args:
        analysis_class: Whose values these are.
        channel: The socket.
        loop: The kernel's loop.
    """

    def __init__(
        self,
        analysis_class: type[Analysis],
        channel: KernelChannel,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._channel = channel
        self._loop = loop
        store_class: Any = analysis_class.datastore_class
        if not issubclass(store_class, Datastore):
            store_class = Datastore  # another backend shares its values itself
        self._store: Datastore = store_class(analysis_class.__name__)
        self._versions: dict[str, int] = {}
        self._on_their_way: dict[str, deque[Answer | None]] = {}
        # Deleted here. The broker, and so the other kernels, have null.
        self._deleted: set[str] = set()
        self._store.observe(self._prepare)
        self._store.set_changer(self)

    @property
    def domain(self) -> str:
        """The domain of the values that are shared."""
        return self._store.domain

    # -- messages of the broker

    def restore(self, message: m.Welcome) -> None:
        """Take over what the broker had at the start."""
        for (key, version), value in zip(message.class_keys, message.further, strict=False):
            self._versions[key] = version
            self._store.restore(key, value)

    def receive(self, message: m.SetState) -> None:
        """A value as the broker has it now."""
        key = message.key
        with self._channel.lock:
            self._versions[key] = max(message.version, self._versions.get(key, 0))
            waiting = self._on_their_way.get(key)
            answer = waiting.popleft() if waiting and message.own else None
            is_own_ahead = any(item is None for item in waiting or ())
            if not waiting:
                self._on_their_way.pop(key, None)
        is_deleted = key in self._deleted and message.own and message.payload == b"null"
        if not is_own_ahead and message.payload and not is_deleted:
            self._store.receive(key, message.payload)
        if answer is not None and not answer.done():
            answer.set_result(message.accepted)

    # -- what an analysis does

    def change(self, key: str, function: Callable[[Any], Any]) -> Awaitable[Any]:
        """See `Datastore.change`."""
        return self._begin(self._change(key, function))

    def change_state(self, updater: Callable[[Any], Mapping[str, Any]]) -> Awaitable[Any]:
        """Change the values that a function of the store names."""
        return self._begin(self._change_state(updater))

    def _begin(self, coroutine: Any) -> Awaitable[Any]:
        """Begin at once; in a plain action's thread, wait for the end as well."""
        if threading.get_ident() == getattr(self._loop, "_thread_id", None):
            task: Awaitable[Any] = asyncio.ensure_future(coroutine, loop=self._loop)
            return task
        result = asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
        return _Ready(result)

    async def _change_state(self, updater: Callable[[Any], Mapping[str, Any]]) -> dict[str, Any]:
        changed = {}
        for key in list(updater(self._store)):
            # Computed again at each attempt, from the values of that moment.
            changed[key] = await self._change(
                key, functools.partial(_computed, updater, self._store, key)
            )
        return changed

    async def _change(self, key: str, function: Callable[[Any], Any]) -> Any:
        def read() -> tuple[int, Any]:
            return self._versions.get(key, 0), self._store.get(key)

        async def write(encoded: bytes, base: int) -> bool:
            self._channel.check_size(f"class_data {key!r:.80}", len(encoded))
            answer: Answer = concurrent.futures.Future()
            message = m.StateChange(scope="class_data", key=key, base=base, payload=encoded)
            with self._channel.lock:
                checkpoint()
                self._on_their_way.setdefault(key, deque()).append(answer)
                self._channel.send(encode_message(message))
            return await asyncio.wrap_future(answer)

        return await payload.change(key, function, read=read, write=write)

    def _prepare(self, key: str, _value: Any, encoded: bytes) -> Callable[[], None]:
        self._channel.check_size(f"class_data {key!r:.80}", len(encoded))
        state = m.StateChange(scope="class_data", key=key, base=None, payload=encoded or b"null")
        return functools.partial(self._commit, key, encode_message(state), not encoded)

    def _commit(self, key: str, frames: list[bytes], is_deleted: bool) -> None:
        # Under the channel's lock, as every commit.
        (self._deleted.add if is_deleted else self._deleted.discard)(key)
        self._on_their_way.setdefault(key, deque()).append(None)
        self._channel.send(frames)


def _computed(
    updater: Callable[[Any], Mapping[str, Any]], store: Datastore, key: str, _old: Any
) -> Any:
    return updater(store)[key]


class _Ready:
    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Any:
        yield from ()
        return self._value
