"""Every public name of Databench, as an author who types everything uses it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Generator
from typing import Any

import databench
from databench import Analysis, Datastore, Readme, on, on_action


class Backend(Datastore):
    pass


class Lab(Analysis):
    datastore_class = Backend

    def __init__(self) -> None:
        self.count = 0

    @databench.on
    def connected(self) -> Generator[Any, Any, None]:
        yield self.data.init(samples=10, pi=None)
        yield self.data.init({"more": [1, 2]})

    @on
    def plain(self, a: int, b: str = "x") -> int:
        self.data["samples"] = a
        self.emit("plain", {"b": b})
        self.emit("nothing")
        return len(b) + a

    @on(idempotent=True)
    async def slow(self) -> None:
        await self.emit("status", {"n": 1})
        async for i in self.progress(numbers(), total=3):
            self.count += i
        for text in self.progress(["a", "b"]):
            self.toast(text)

    @on_action("*")
    async def anything(self, *args: Any, **kwargs: Any) -> None:
        await self.set_state(lambda state: {"n": state.get("n", 0) + 1}, more=args)
        self.set_class_state({"last": kwargs})
        await self.class_data.change("n", lambda n: (n or 0) + 1)

    def on_old(self, value: float) -> None:
        if self.restored is None and self.cli_args and self.request_args.get("a", []):
            self.emit("id", self.id_)

    def data_samples(self, value: int) -> int:
        return value + 1


async def numbers() -> AsyncIterator[int]:
    yield 1


def store() -> None:
    values = Datastore("domain", release_storage=True)
    values.on_change(lambda key, value: print(key, value)).subscribe(print)
    values.set("a", 1)
    values.set_state({"b": 2}, c=3)
    values.update({"d": 4})
    values.trigger_changed("a").append(None)
    values.trigger_all_change_callbacks()
    total: int = values["a"] + values.get("b", 0)
    names: list[str] = [*values.keys(), *(key for key, _ in values.items())]
    print(total, names, values.values())
    values.close()


def tools() -> str:
    readme = Readme("analyses/lab")
    text: str = readme.text + readme.html
    src: str = databench.utils.png_to_src(b"") + databench.utils.svg_to_src("<svg/>")
    return text + src + json.dumps({1}, default=databench.utils.json_encoder_default)


def meta(said: list[tuple[str, Any]]) -> databench.Meta:
    lab = (
        Lab()
        .init_databench("id")
        .set_emit_fn(lambda signal, message: said.append((signal, message)))
    )
    future = databench.Meta.run_process(lab, "plain", [1], callback=print)
    print(future.done(), databench.__version__)
    return databench.Meta("lab", Lab, "analyses/lab", [("post", object, {})], cli_args=["--fast"])


if __name__ == "__main__":
    databench.run(Lab, name="lab", info={"title": "Lab"}, static={r"files/(.*)": "files"})


signals: databench.Signals = databench.Signals("lab")


@signals.on("run")
def run_functions(n: int = 1) -> None:
    signals.emit("n", n)
