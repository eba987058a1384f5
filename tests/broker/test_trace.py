"""`--trace-kernel`: the messages of the named analyses' kernels, and of no others."""

import logging

import msgpack
import pytest

from databench.broker.broker import Broker
from tests.broker.harness import rigged

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture
def traced(monkeypatch):
    """Rigs trace the kernels of `a`."""
    make = Broker.__init__
    monkeypatch.setattr(
        Broker, "__init__", lambda self, *args, **more: make(self, *args, **more, traced=["a"])
    )


def lines(caplog):
    return [r.getMessage() for r in caplog.records if r.name == "databench.trace"]


async def test_each_message_of_a_traced_kernel_is_a_line(traced, caplog):
    caplog.set_level(logging.INFO, "databench.trace")
    async with rigged("a", "b") as rig:
        page, other = rig.join("a"), rig.join("b")
        await page.run("echo", 1)
        await other.run("echo", 2)
        assert page.loads("echo") == [1]
    said = lines(caplog)
    assert all(line.startswith(("to a k1.1: ", "from a k1.1: ")) for line in said)
    kinds = [line.split()[3] for line in said]
    assert kinds[:3] == ["hello", "welcome", "open"]
    assert kinds[-2:] == ["shutdown", "bye"]
    assert {"action", "emit", "done", "opened"} <= set(kinds)
    assert not any(page.session in line for line in said)


async def test_without_a_name_nothing_is_traced(caplog):
    caplog.set_level(logging.INFO, "databench.trace")
    async with rigged() as rig:
        await rig.join().run("echo", 1)
    assert lines(caplog) == []


@pytest.mark.expected_log("this server knows no kind 'helo'", "did you mean")
async def test_a_token_in_a_wrong_place_is_not_shown(traced, caplog):
    caplog.set_level(logging.INFO, "databench.trace")
    async with rigged("a") as rig:
        page = rig.join("a")
        await page.run("echo", 1)
        token = rig.broker._tables.pools["a"].records[0].kernel.token
        header = msgpack.packb(["helo", None, None, 1, token]).hex()
        await page.run("raw", [[header, ""]])
    (line,) = [line for line in lines(caplog) if " helo " in line]
    assert line.endswith("helo field 4=1 field 5='…'")
