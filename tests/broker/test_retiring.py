"""Analyses that are taken out, and come again, while the server runs."""

import pytest

from tests.broker.harness import is_alive, rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]


def swap(rig, *names, kept=()):
    specs = rig.broker._specs
    rig.broker.swap({name: specs[name] for name in names}, kept)


async def test_pages_are_told_and_the_kernel_ends():
    async with rigged() as rig:
        page, other = rig.join(), rig.join("b")
        await page.run("echo")
        await other.run("echo")
        pid = rig.kernel()["pid"]
        rig.broker.class_values.write("a", "k", b"1", base=None)
        swap(rig, "b")
        assert "analysis 'a' is no longer served" in page.loads("error")[0]
        assert page.closed == (4004, "analysis 'a' is no longer served")
        await wait_until(lambda: not is_alive(pid))
        await wait_until(lambda: rig.broker.status()["sessions"] == 1)
        assert rig.broker.kernel_state("a") == "none"
        assert rig.broker.class_values.get("a", "k") is None
        assert other.closed is None
        assert (await other.run("echo"))["outcome"] == "done"
        with pytest.raises(KeyError):
            rig.join("a")


async def test_pages_that_join_later_are_told_the_version_of_the_new_index():
    async with rigged() as rig:
        before = rig.join().loads("__connect")[0]["analyses_version"]
        rig.broker.swap(rig.broker._specs, analyses_version="2.1")
        after = rig.join().loads("__connect")[0]["analyses_version"]
    assert (before, after) == (None, "2.1")


async def test_what_runs_is_ended_and_nothing_is_left_of_it():
    async with rigged(shutdown_limit_s=0.5) as rig:
        page = rig.join()
        await page.run("echo")
        id_ = page.request("never")
        swap(rig, "b")
        assert (await page.end(id_))["outcome"] == "lost"
        await wait_until(lambda: rig.broker.status()["sessions"] == 0)
        assert rig.broker._tables.requests == {}
        assert rig.broker._tables.by_routing == {}


async def test_an_analysis_that_comes_again_at_once_has_a_kernel_of_its_own():
    async with rigged(shutdown_limit_s=0.5) as rig:
        specs = dict(rig.broker._specs)
        page = rig.join()
        await page.run("stubborn")
        old = rig.kernel()["pid"]
        swap(rig, "b")
        rig.broker.swap(specs)
        again = rig.join(session=page.session)
        assert not again.connected["resumed"]
        assert (await again.run("echo"))["outcome"] == "done"
        assert rig.kernel()["pid"] != old
        await wait_until(lambda: not is_alive(old))
        assert (await again.run("echo"))["outcome"] == "done"


async def test_one_that_is_broken_for_now_stays_as_it_was():
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo")
        swap(rig, "b", kept=["a"])
        assert (await page.run("echo"))["outcome"] == "done"
        assert rig.join("a").connected


async def test_the_end_of_the_server_waits_for_those_that_leave():
    async with rigged(shutdown_limit_s=1.0) as rig:
        page = rig.join()
        await page.run("stubborn")
        pid = rig.kernel()["pid"]
        swap(rig, "b")
    assert not is_alive(pid)
