"""Values shared by all sessions of a class: this kernel's copy of what the broker holds.

Every write goes to the broker and comes back with its version. While own writes of a key are on
their way, values of others for that key are ignored: the broker's answer to the last own write
tells what holds.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from ..analysis import Analysis
from ..datastore import Datastore
from ..protocol import messages as m
from ..protocol.codec import encode as encode_message
from .channel import Channel

logger = logging.getLogger("databench.kernel")


class ClassData:
    """The kernel's side of `class_data`.

    Args:
        analysis_class: Whose values these are.
        channel: The socket; `None` until the kernel is connected.
    """

    def __init__(self, analysis_class: type[Analysis], channel: Channel) -> None:
        self._channel = channel
        self._store = analysis_class.datastore_class(analysis_class.__name__)
        self._versions: dict[str, int] = {}
        self._on_their_way: dict[str, int] = {}
        self._store.observe(self._prepare)

    def restore(self, message: m.Welcome) -> None:
        """Take over what the broker had at the start."""
        for (key, version), value in zip(message.class_keys, message.further, strict=False):
            self._versions[key] = version
            self._store.restore(key, value)

    def receive(self, message: m.SetState) -> None:
        """A value as the broker has it now."""
        key = message.key
        self._versions[key] = message.version
        if message.own and self._on_their_way.get(key):
            self._on_their_way[key] -= 1
        if self._on_their_way.get(key):
            return
        self._on_their_way.pop(key, None)
        self._store.receive(key, message.payload)

    def attach(self, analysis: Analysis) -> None:
        """A session begins; a store of another domain or kind is the user's own affair."""
        store = analysis.class_data
        if isinstance(store, Datastore) and store.domain != self._store.domain:
            logger.warning(
                'class_data of %s has the domain %r, expected %r: its changes are not sent',
                type(analysis).__name__, store.domain, self._store.domain,
            )  # fmt: skip

    def _prepare(self, key: str, _value: Any, encoded: bytes) -> Callable[[], None]:
        frames = encode_message(m.State(None, None, "class_data", key, None, encoded))
        return functools.partial(self._commit, key, frames)

    def _commit(self, key: str, frames: list[bytes]) -> None:
        # Under the channel's lock, as every commit.
        self._on_their_way[key] = self._on_their_way.get(key, 0) + 1
        self._channel.send(frames)
