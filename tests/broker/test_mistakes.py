"""A kernel that does not follow the protocol: what its pages, the log and its author are shown."""

import asyncio
import re
import signal

import msgpack
import pytest

from tests.broker.harness import rigged, wait_until

pytestmark = [pytest.mark.process, pytest.mark.slow]


def header(*fields):
    return msgpack.packb(list(fields)).hex()


def said(caplog):
    """The mistakes that the log has, without the kernel's name."""
    found = (re.match(r"kernel 'a': (.*\(docs/.*\))$", r.getMessage()) for r in caplog.records)
    return [match.group(1) for match in found if match]


FORMS = ["in bytes", "as text", "as a float", "without a request", "of another session"]


@pytest.mark.expected_log(r"docs/protocol.md")
@pytest.mark.parametrize("form", [*FORMS, "error without a type"])
async def test_an_end_that_cannot_be_read_ends_its_request_with_the_reason(form):
    async with rigged() as rig:
        page = rig.join()
        end = await page.run("bad_end", form)
        assert end["outcome"] == "error"
        assert end["error"]["type"] == "ProtocolError"
        assert "the kernel sent an end that cannot be read" in end["error"]["message"]
        assert (await page.run("echo", 1))["outcome"] == "done"


@pytest.mark.expected_log(r"docs/protocol.md", "restarted by a page")
async def test_an_end_without_a_request_ends_none_where_two_are_open():
    async with rigged() as rig:
        page = rig.join()
        held = page.request("hold")
        await page.signal("held")
        id_ = page.request("bad_end", "without a request")
        kernel = await wait_until(lambda: page.kernel.get("mistake") and page.kernel)
        said = "header has 2 fields; kind, session, request come first (or nil); dropped"
        assert kernel["mistake"] == f"{said} (docs/protocol.md, 4.2)"
        assert page.ends(held) == page.ends(id_) == []
        page.control("restart")
        assert (await page.end(id_))["outcome"] == "lost"
        await rig.ready()
        assert "mistake" not in page.kernel


@pytest.mark.expected_log(r"docs/protocol.md")
async def test_a_second_end_ends_no_other_request():
    async with rigged() as rig:
        page = rig.join()
        held = page.request("hold")
        await page.signal("held")
        words = [[header("done", page.session, 10**6), ""]]
        assert (await page.run("raw", words))["outcome"] == "done"
        assert page.ends(held) == []
        await page.run("release")
        assert (await page.end(held))["outcome"] == "done"


@pytest.mark.expected_log(r"docs/protocol.md")
async def test_a_bad_message_in_a_batch_leaves_the_others():
    async with rigged() as rig:
        page = rig.join()
        assert (await page.run("bad_end_in_a_batch"))["outcome"] == "error"
        assert page.loads("b") == [1, 1]
        assert rig.broker.status()["dropped"] == 1


@pytest.mark.expected_log(r"docs/protocol.md")
async def test_each_mistake_is_said_once_and_at_most_twenty(caplog):
    async with rigged() as rig:
        page = rig.join()
        for number in [*range(30), *range(30)]:
            await page.run("raw", [[header("emit", page.session, None, number), ""]])
        assert len(said(caplog)) == len(set(said(caplog))) == 20
        assert rig.broker.overview.describe()[0]["mistakes"] == 60
        assert rig.broker.overview.describe()[0]["mistake"] == said(caplog)[-1]
        assert page.kernel["mistake"] == said(caplog)[-1]


@pytest.mark.expected_log(r"docs/protocol.md")
async def test_pages_are_shown_none_in_production_nor_without_the_right():
    async with rigged(debug=False) as rig:
        page = rig.join()
        await page.run("raw", [["c1", ""]])
        await page.run("echo", 1)
        assert all("mistake" not in load for load in page.loads("__kernel"))
    async with rigged() as rig:
        page = rig.join(may_administer=False)
        await page.run("raw", [["c1", ""]])
        await page.run("echo", 1)
        assert all("mistake" not in load for load in page.loads("__kernel"))


@pytest.mark.expected_log(r"docs/protocol.md", "was ended by SIG")
async def test_a_kernel_that_made_a_mistake_restarts_at_once_on_a_save():
    async with rigged() as rig:
        page = rig.join()
        held = page.request("hold")
        await page.signal("held")
        rig.broker.change_code("a", "kernel.py", at_once=False)
        assert page.ends(held) == []  # it waits for what runs
        await page.run("raw", [[header("done"), ""]])
        rig.broker.change_code("a", "kernel.py", at_once=False)
        assert (await page.end(held))["outcome"] == "lost"


@pytest.mark.expected_log("rejected", "exited with status", r"docs/protocol.md")
@pytest.mark.parametrize(
    ("analysis", "problem"),
    [
        ("mumbles", "hello: version is '1', expected a whole number"),
        ("binary", "kind is bin, expected str; dropped"),
        ("nameless", "hello under a routing id that is not DATABENCH_KERNEL's"),
        ("misnamed", "hello under a routing id that is not DATABENCH_KERNEL's"),
    ],
)
async def test_a_hello_that_is_none_is_rejected_at_once_and_its_page_says_why(analysis, problem):
    async with rigged(analysis, start_limit_s=60) as rig:
        page = rig.join(analysis)
        kernel = await page.kernel_state("failed")
        assert f"rejected: {problem}" in kernel["reason"]
        assert any(problem in line for line in kernel["stderr"])  # it got a `reject`


@pytest.mark.expected_log("rejected", "was ended by SIGKILL")
async def test_a_kernel_that_does_not_exit_on_a_reject_is_ended():
    async with rigged("mute", shutdown_limit_s=0.3, start_limit_s=60) as rig:
        page = rig.join("mute")
        record = rig.broker._tables.pools["mute"].records[0]
        while page.kernel.get("state") != "failed":
            generation = record.kernel.life.generation
            record.kernel.reject("hello without words")
            await wait_until(
                lambda was=(generation, record.kernel.life.state): (
                    (record.kernel.life.generation, record.kernel.life.state) != was
                )
            )
        assert "rejected: hello without words" in page.kernel["reason"]


@pytest.mark.expected_log("kernel_message_bytes")
async def test_a_frame_that_libzmq_does_not_take_ends_its_kernel_with_the_limit():
    async with rigged(kernel_message_bytes=2**16) as rig:
        page = rig.join()
        page.request("large", 2**17)  # its end may come all the same, by the next connection
        await wait_until(lambda: rig.kernel()["deaths"] == 1)
        (loss,) = rig.broker.overview.describe()[0]["restarts"]
        assert "its connection broke, as it does at a frame of more than 65536" in loss["reason"]
        assert page.loads("large") == []
        assert (await page.run("echo", 1))["outcome"] == "done"


@pytest.mark.expected_log("was ended by SIGKILL")
async def test_a_kernel_that_ends_is_not_said_to_have_made_a_mistake(caplog):
    async with rigged() as rig:
        page = rig.join()
        await page.run("echo", 1)
        rig.kill(signal.SIGKILL)
        await wait_until(lambda: rig.kernel()["deaths"] == 1)
        await page.run("echo", 2)
        await asyncio.sleep(0.6)  # longer than a process may end after its connection
        assert said(caplog) == []
        assert rig.broker.overview.describe()[0]["mistakes"] == 0


@pytest.mark.expected_log(r"docs/protocol.md")
async def test_a_sessions_id_is_in_no_line_of_the_log(caplog):
    caplog.set_level("DEBUG")
    async with rigged() as rig:
        page, other = rig.join(), rig.join()
        for form in (*FORMS, "error without a type"):
            await page.run("bad_end", form)
        for words in (
            header("emit", page.session.encode(), None, "x"),
            header("emit", [page.session], None, "x"),
            header("emit", page.session * 5, None, "x"),
            header("emit", {page.session: 1}, None, "x"),
            header("done", other.session, 10**6),
        ):
            await page.run("raw", [[words, ""]])
        other.leave()
    assert page.session not in caplog.text
    assert other.session not in caplog.text
