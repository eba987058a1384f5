"""`class_data` as handlers of the front read and write it: the store, the pages, the kernel."""

import json
import signal

import pytest

from databench.errors import DatabenchError
from tests.broker.harness import rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]


async def test_values_are_there_before_a_kernel_and_reach_page_and_kernel_when_they_come():
    async with rigged() as rig:
        values = rig.broker.class_values
        assert values.write("a", "k", b"[1]", base=None)
        assert rig.broker.kernel_state("a") == "none"
        assert [(key, value.stored) for key, value in values.values("a")] == [("k", b"[1]")]
        page = rig.join()
        assert page.loads("class_data") == [{"k": [1]}]
        assert (await page.run("welcomed"))["result"] == [["k", 1, [1]]]
        assert rig.join("b").loads("class_data") == []


async def test_a_write_reaches_every_page_and_a_version_that_is_over_is_refused():
    async with rigged() as rig:
        values = rig.broker.class_values
        pages = [rig.join(), rig.join()]
        await pages[0].run("class_state", 5)
        (version,) = [value.version for _, value in values.values("a")]
        assert not values.write("a", "c", b"6", base=version - 1)
        assert values.write("a", "c", b"7", base=version)
        for page in pages:
            assert page.loads("class_data")[-1] == {"c": 7}
        assert json.loads(values.get("a", "c").stored) == 7


async def test_the_kernel_is_told_and_its_next_life_too():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        rig.broker.class_values.write("a", "k", b"1", base=0)
        assert (await page.run("class_told"))["result"] == ["k", 1, False, 1]


@pytest.mark.parametrize(
    ("key", "value", "limits", "text"),
    [
        ("k", b'"' + b"x" * 2000 + b'"', {"state_bytes": 2**10}, "bytes of class state, limit"),
        ("k", b'"' + b"x" * 2000 + b'"', {"page_message_bytes": 2**10}, "2003 bytes, limit 1024"),
        ("k" * 2**21, b"1", {}, "bytes of keys of class state"),
    ],
)
async def test_what_is_over_a_limit_is_refused_and_nothing_is_stored(key, value, limits, text):
    async with rigged(**limits) as rig:
        with pytest.raises(DatabenchError, match=text) as caught:
            rig.broker.class_values.write("a", key, value, base=None)
        assert "not stored" in str(caught.value)
        assert list(rig.broker.class_values.values("a")) == []


async def test_of_values_that_a_silent_kernel_does_not_take_the_last_one_waits():
    async with rigged(class_data_bytes=2**10, ping_interval_s=0.1, ping_missed=1000) as rig:
        page = rig.join()
        await page.run("echo")
        (record,) = rig.broker._tables.pools["a"].records
        rig.kill(signal.SIGSTOP)
        for n in range(99):
            assert rig.broker.class_values.write("a", "k", b'"%0100d"' % n, base=None)
        assert record.answer_bytes <= 2**9
        assert record.stale == {"k"}
        rig.kill(signal.SIGCONT)
        await wait_until(lambda: not record.stale)
        assert (await page.run("class_told"))["result"] == ["k", 99, False, f"{98:0100}"]


async def test_what_is_forgotten_is_gone():
    async with rigged() as rig:
        rig.broker.class_values.write("a", "k", b"1", base=None)
        rig.broker.class_values.forget("a")
        assert rig.broker.class_values.get("a", "k") is None


async def test_a_session_without_a_page_holds_nothing_and_gets_the_latest_of_each_at_its_return():
    async with rigged() as rig:
        page, stays = rig.join(), rig.join()
        await page.run("echo")
        await wait_until(lambda: stays.loads("opened"))
        write = rig.broker.class_values.write
        write("a", "old", b"0", base=None)
        page.leave()
        session = rig.broker._tables.sessions[page.session].session
        held_bytes = session.ring.held_bytes
        for number in range(100):
            for key in ("k", "l"):
                write("a", key, b"%d" % number, base=None)
        assert session.ring.held_bytes == held_bytes
        at = page.connected["at"] + sum(
            frame["signal"] not in ("__connect", "__kernel") and not frame.get("snapshot")
            for frame in page.frames
        )
        back = rig.join(session=page.session, received=at, epoch=page.connected["epoch"])
        assert back.loads("class_data") == [{"k": 99}, {"l": 99}]
        assert back.loads("__gap") == []
        write("a", "k", b"100", base=None)
        await wait_until(lambda: back.loads("class_data")[2:] == [{"k": 100}])
        await wait_until(lambda: {"k": 100} in stays.loads("class_data"))
        assert {"l": 99} in stays.loads("class_data")
