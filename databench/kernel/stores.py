"""How the changes of an analysis' stores reach its pages, for any kind of store.

A `Datastore` is observed: its changes are separate messages, which the broker keeps. Of
another backend's store, the kernel only knows `subscribe`: its changes are emits, and the backend
decides what it holds after a restart of the kernel.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from ..analysis import Analysis, as_shown
from ..datastore import Datastore
from ..payload import encode
from .outlet import SessionOutlet


class Stores:
    """The stores of one session.

    Args:
        analysis: Whose they are; its datastores are made.
        outlet: The session's way out.
        class_domain: The domain of the `class_data` that is shared through the broker.
    """

    def __init__(self, analysis: Analysis, outlet: SessionOutlet, class_domain: str) -> None:
        self._analysis = analysis
        self._outlet = outlet
        self._class_domain = class_domain

    def restore(self, values: Iterable[tuple[str, bytes]]) -> None:
        """Take over the broker's values, before any change is reported."""
        restore = getattr(self._analysis.data, "restore", None)
        for key, value in values:
            if restore is not None:
                restore(key, value)

    def tell(self) -> None:
        """From now on let the pages know of changes."""
        data: Any = self._analysis.data
        class_data: Any = self._analysis.class_data
        if isinstance(data, Datastore):
            self._outlet.told["data"] = data
            data.observe(self._prepare)
        else:
            self._subscribe("data", data)
        if isinstance(class_data, Datastore) and class_data.domain == self._class_domain:
            self._outlet.told["class_data"] = class_data
        else:
            self._subscribe("class_data", class_data)

    def close(self) -> None:
        """Let go of both."""
        for store in (self._analysis.data, self._analysis.class_data):
            if hasattr(store, "close"):
                store.close()

    def _subscribe(self, signal: str, store: Any) -> None:
        is_own_affair = type(self._analysis).init_datastores is not Analysis.init_datastores
        if isinstance(store, Datastore):
            is_own_affair = store.is_heard
        if not is_own_affair and hasattr(store, "subscribe"):
            store.subscribe(functools.partial(self._emit_change, signal))

    def _emit_change(self, signal: str, change: dict[str, Any]) -> Any:
        if signal == "data":
            change = {key: as_shown(self._analysis, key, value) for key, value in change.items()}
        return self._analysis.emit(signal, change)

    def _prepare(self, key: str, value: Any, encoded: bytes) -> Callable[[], None]:
        if not encoded:  # deleted: no value for a hook to look at
            return functools.partial(self._outlet.send_state, key, b"null", b"")
        shown = as_shown(self._analysis, key, value)
        payload, stored = encoded, None
        if shown is not value:
            payload = encode(shown, name="value", key=key)
            stored = None if payload == encoded else encoded
        self._outlet.check_state(key, payload, stored)
        return functools.partial(self._outlet.send_state, key, payload, stored)
