"""20,000 messages that a kernel would not send: the server drops or refuses each."""

import pytest

from tests.processes.server import Server

from .project import write_project
from .raw import Socket
from .world import check

MESSAGES = 20_000
PARTS = 10


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.timeout(300)
async def test_no_message_of_a_kernel_does_harm(tmp_path):
    """Junk is allowed here, so that all of it is read; a junk limit ends such a kernel early."""
    analyses = write_project(tmp_path)
    with Server(analyses, "--no-debug", "--junk-messages", "1000000") as server:
        ends = []
        for part in range(PARTS):
            socket = await Socket.join(server.address, "hostile")
            await socket.send(
                {"signal": f"fuzz-{part}-{MESSAGES // PARTS}", "load": {"__process_id": 1}}
            )
            end = await socket.wait(
                lambda m: m["signal"] == "__process" and m["load"].get("status") == "end"
            )
            ends.append(end["load"]["outcome"])
            await socket.close()
            await check(server)
    # An end among the junk is the action's, and so is one that cannot be read.
    assert {"done", "error"} >= set(ends), ends


@pytest.mark.slow
@pytest.mark.process
async def test_a_kernel_that_sends_only_junk_is_ended(tmp_path):
    with Server(write_project(tmp_path), "--no-debug") as server:
        socket = await Socket.join(server.address, "hostile")
        await socket.send({"signal": "fuzz-1-5000", "load": {"__process_id": 1}})
        end = await socket.wait(
            lambda m: m["signal"] == "__kernel" and "1000" in (m["load"].get("reason") or "")
        )
        assert "messages were not understood, limit 1000" in end["load"]["reason"]
        await socket.close()
        await check(server)
