"""`databench kernels`: the table, and what is said where nothing can be shown."""

import asyncio
import json
import socket

import pytest

from databench.front import terminal
from databench.front.security import access
from tests.front.conftest import TOKEN

KERNEL = {
    "kernel": "k1.2",
    "analysis": "pi",
    "state": "busy",
    "generation": 2,
    "pid": 4711,
    "deaths": 1,
    "reason": "",
    "age_s": 75.2,
    "memory_bytes": 48 * 2**20,
    "processor_percent": 99.6,
    "sessions": 3,
    "running": [{"action": "run", "elapsed_s": 12.3}],
}
DOWN = {
    **KERNEL,
    "analysis": "fail",
    "state": "failed",
    "pid": None,
    "age_s": None,
    "memory_bytes": None,
    "processor_percent": None,
    "running": [],
    "reason": "kernel 'fail' exited\nwith \x1b[2Jstatus 3",
}


def test_table_has_a_line_for_each_and_why_one_is_down():
    lines = terminal.compose_table([KERNEL, DOWN])
    assert lines[0].split()[:3] == ["ANALYSIS", "STATE", "GEN"]
    assert lines[1].split("  ") != lines[2].split("  ")
    words = [word for word in lines[1].split("  ") if word]
    assert [word.strip() for word in words] == [
        *("pi", "busy", "2", "4711", "1 min 15 s", "48.0 MiB", "100 %", "3", "1", "run 12 s")
    ]
    assert lines[3:] == ["", "fail: kernel 'fail' exited with status 3"]
    assert len({line.index(word) for line, word in zip(lines, ("STATE", "busy", "failed"))}) == 1


def test_no_kernel_is_said():
    assert "no kernel is running" in terminal.compose_table([])[0]


def test_an_address_may_stand_in_brackets_as_the_terminal_shows_it(capsys, tmp_path):
    with socket.socket(socket.AF_INET6) as taken:  # bound, and nobody listens
        taken.bind(("::1", 0))
        words = ["--host", "[::1]", "--port", str(taken.getsockname()[1])]
        assert terminal.main(words, {"XDG_CACHE_HOME": str(tmp_path)}) == 1
    assert "Connection refused" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("time_s", "shown"),
    [(None, "-"), (0.4, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (7500, "2 h 5 min")]
    + [(86400 * 3 + 4 * 3600, "3 d 4 h")],
)
def test_times(time_s, shown):
    assert terminal.show_time(time_s) == shown


@pytest.mark.parametrize(
    ("size_bytes", "shown"), [(None, "-"), (512, "512 B"), (2048, "2.0 KiB"), (2**31, "2.0 GiB")]
)
def test_sizes(size_bytes, shown):
    assert terminal.show_bytes(size_bytes) == shown


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_no_server_is_a_clear_error(capsys):
    port = free_port()
    assert terminal.main([], {"PORT": str(port)}) == 1
    told = capsys.readouterr().err
    assert f"no server answers at 127.0.0.1:{port}" in told
    assert "--port that the server shows" in told


def test_port_that_is_none_is_a_clear_error(capsys):
    assert terminal.main(["--port", "http"], {}) == 2
    assert "expected 0 to 65535" in capsys.readouterr().err


async def run(*words, **environ):
    return await asyncio.to_thread(terminal.main, words, environ)


@pytest.mark.parametrize("given", [("--admin-token", TOKEN), ()])
async def test_administrator_gives_the_token(serve, capsys, given):
    served = await serve(debug=False)
    environ = {} if given else {"DATABENCH_ADMIN_TOKEN": TOKEN}
    assert await run("--port", str(served.port), "--json", *given, **environ) == 0
    assert json.loads(capsys.readouterr().out)["kernels"][0]["analysis"] == "x"


@pytest.mark.expected_log("/_kernels 403")
async def test_token_that_is_kept_for_the_project_is_found(serve, capsys, tmp_path, monkeypatch):
    token = access.find_token(tmp_path / "databench", "0a1b2c3d")
    served = await serve(token=token)
    sent = []
    real = terminal.http.client.HTTPConnection.request

    def note(self, method, path, headers):
        sent.append(str(headers))
        real(self, method, path, headers=headers)

    monkeypatch.setattr(terminal.http.client.HTTPConnection, "request", note)
    assert await run("--port", str(served.port), "--json", XDG_CACHE_HOME=str(tmp_path)) == 0
    assert json.loads(capsys.readouterr().out)["kernels"][0]["analysis"] == "x"
    assert len(sent) == 2
    assert token not in "".join(sent)  # another program may listen on that port


@pytest.mark.expected_log("/_kernels 403")
@pytest.mark.parametrize("kept", ["", "0a1b2c3d"])
async def test_server_that_tells_nothing_says_why(serve, capsys, tmp_path, kept):
    served = await serve(debug=False, bound="0.0.0.0")
    if kept:
        access.find_token(tmp_path / "databench", kept)  # not this server's
    environ = {"XDG_CACHE_HOME": str(tmp_path)}
    assert await run("--port", str(served.port), "--host", "0.0.0.0", **environ) == 1
    assert "answered 403: This page shows and ends the kernels" in capsys.readouterr().err


@pytest.mark.parametrize("project", [None, 7, "", "../../etc", "/etc", []])
def test_project_that_is_none_is_no_file(project, tmp_path):
    assert terminal._find_cookie(project, 5000, {"XDG_CACHE_HOME": str(tmp_path)}) == ""


async def test_another_server_is_told_apart(capsys):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 404 Not Found\r\n\r\n<p>no</p>")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        assert await run("--port", str(server.sockets[0].getsockname()[1])) == 1
    assert "answered 404: it is not a Databench server" in capsys.readouterr().err
