"""A project that is typed as strictly as mypy can: read by mypy, never run."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from pathlib import Path
from typing import Any, assert_type

import databench
from databench.testing import AnalysisTest


class Typed(databench.Analysis):
    datastore_class = databench.Datastore

    def __init__(self) -> None:
        self.runs = 0

    @databench.on
    def connected(self) -> Generator[Any, Any, None]:
        yield super().connected()
        yield self.data.init({"n": 1}, m=2)
        yield self.set_state(lambda state: {"n": state["n"] + 1}, m=3)

    @databench.on
    def plain(self, n: int, word: str = "") -> str:
        self.data["n"] = n
        self.class_data.update(word=word)
        assert_type(self.id_, str)
        assert_type(self.cli_args, list[str])
        assert_type(self.request_args, dict[str, list[str]])
        assert_type(self.restored, str | None)
        for i in self.progress(range(3), total=3):
            assert_type(i, int)
        return word

    @databench.on(idempotent=True)
    async def run(self) -> int:
        assert_type(self.emit("run"), Awaitable[None])
        await self.emit("run", {"n": 1})
        await self.toast("saved")
        async for word in self.progress(["a", "b"]):
            assert_type(word, str)
        await self.class_data.change("n", lambda n: (n or 0) + 1)
        return len(self.plain(1))

    @databench.on_action("*")
    def every(self, *args: object, **kwargs: object) -> None:
        self.set_class_state({"last": repr(args)})

    def data_n(self, value: int) -> int:
        return value + 1


def use_store() -> list[Any]:
    store = databench.Datastore("typed", release_storage=True)
    store.on_change(lambda key, value: key).subscribe(lambda change: list(change))
    results = store.set("n", 1)
    results += store.trigger_changed("n")
    results += store.trigger_all_change_callbacks()
    assert_type(store.keys(), list[str])
    assert_type("n" in store, bool)
    del store["n"]
    store.close()
    return results


def use_tools(folder: Path) -> str:
    test = AnalysisTest(Typed, cli_args=["--fast"], request_args={"a": ["1"]})
    test.trigger("plain", [1, "a"])
    assert_type(test.emitted_messages, list[tuple[str, Any]])
    meta = databench.Meta("typed", Typed, str(folder), [])
    meta.run_process(test.analysis, "run", callback=print)
    assert_type(databench.__version__, str)
    assert_type(databench.utils.svg_to_src("<svg/>"), str)
    return databench.Readme(str(folder)).html


if __name__ == "__main__":
    databench.run(Typed, __file__)
