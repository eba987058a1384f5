"""Real files, kernels and websockets: kernel specs that are bad, mended, added, edited, gone."""

import asyncio
import html
import json
import os
import urllib.error
import urllib.request

import pytest

from tests.broker.harness import KERNELS, wait_until
from tests.processes.server import Server
from tests.processes.test_watch import Visitor

pytestmark = [pytest.mark.process, pytest.mark.slow]

STUB = str(KERNELS / "stub" / "kernel.py")


def spec(*argv, protocol=1):
    return f"protocol: {protocol}\nargv: {json.dumps(argv or ['{python}', STUB])}\n"


class Project:
    def __init__(self, root):
        self.root, self.folder = root, root / "analyses"

    def save(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def index(self, **kernels):
        """Lists these analyses, each with its kernel, after the Python one."""
        lines = ["analyses:", "  - name: python"]
        for name, kernel in kernels.items():
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            lines += [f"  - name: {name}", f"    kernel: {kernel}"]
        self.save("analyses/index.yaml", "\n".join(lines) + "\n")


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path)
    code = "import databench\n\n\nclass A(databench.Analysis):\n    pass\n"
    project.save("analyses/python/analysis.py", code)
    return project


def get(server, path):
    """The page's text as a person with the token reads it."""
    request = urllib.request.Request(
        f"{server.url}{path}",
        headers={"Authorization": f"Bearer {server.token}", "Accept": "text/html"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, html.unescape(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, html.unescape(error.read().decode())


async def wait_page(server, path, status):
    """Waits until the page is answered so; each try is a line of the log."""
    for _ in range(400):
        if get(server, path)[0] == status:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path} is never answered with {status}")


async def test_a_bad_spec_is_said_and_everything_else_is_served(project):
    project.index(a="tiny")
    project.save("kernels/tiny/kernel.yaml", "protocol: 1\nagrv: [x]\n")
    project.save("kernels/idle/kernel.yaml", "- no map\n")
    problem = "kernels/tiny/kernel.yaml:2: unknown key 'agrv'; did you mean 'argv'?"
    with Server(project.folder) as server:
        text = get(server, "/a/")[1]
        assert problem in text and "analysis 'a' needs this kernel" in text
        assert "Cannot be served. Open it to see why." in get(server, "/")[1]
        assert get(server, "/python/")[0] == 200
        printed = server.printed
        assert printed.count(problem) == 1
        assert "kernels/idle/kernel.yaml:1: a kernel spec is a map" in printed
        assert "no analysis needs this kernel" in printed
        server.stop()


async def test_a_spec_is_mended_edited_broken_and_added_while_the_server_runs(project):
    project.index(a="tiny")
    project.save("kernels/tiny/kernel.yaml", spec(protocol=2))
    with Server(project.folder) as server:
        assert "protocol is 2, this Databench speaks 1" in get(server, "/a/")[1]
        project.save("kernels/tiny/kernel.yaml", spec())
        await wait_page(server, "/a/", 200)
        async with Visitor(server, "a") as page:
            assert (await page.opened(1))["restored"] is None
            project.save("kernels/tiny/kernel.yaml", spec("{python}", STUB, "--edited"))
            reason = "code changed: kernels/tiny/kernel.yaml"
            assert (await page.opened(2))["restored"] == reason
            assert server.kernel("a").cmdline()[-1] == "--edited"
            process = server.kernel("a").pid

            project.save("kernels/tiny/kernel.yaml", "argv: python x\nprotocol: 1\n")
            await wait_page(server, "/a/", 503)
            assert "argv is 'python x', expected a list of words" in get(server, "/a/")[1]
            await page.socket.write_message('{"signal": "pid", "load": {"__process_id": 1}}')
            await wait_until(lambda: ends(page, 1))
            assert ends(page, 1) == [process]  # what runs goes on as it was

            project.save("kernels/other/kernel.yaml", spec("{python}", STUB, "--other"))
            project.index(a="tiny", b="other")
            await wait_page(server, "/b/", 200)
        async with Visitor(server, "b") as page:
            await page.opened(1)
            assert server.kernel("b").cmdline()[-1] == "--other"
        assert "Traceback" not in server.printed
        server.stop()


async def test_a_spec_that_goes_takes_its_analyses_with_it_until_it_is_back(project):
    project.index(a="tiny")
    project.save("kernels/tiny/kernel.yaml", spec())
    with Server(project.folder) as server:
        async with Visitor(server, "a") as page:
            await page.opened(1)
            (project.root / "kernels/tiny/kernel.yaml").unlink()
            await wait_page(server, "/a/", 503)
            assert "there is no kernel 'tiny'" in get(server, "/a/")[1]
            await page.socket.write_message('{"__kernel": "restart"}')
            await wait_until(lambda: page.loads("__kernel")[-1]["state"] == "failed")
            told = page.loads("__kernel")[-1]
            assert (
                told["reason"]
                == "kernel 'a': the kernel spec 'tiny' cannot be used; the server's log says why"
            )
            assert "kernels/tiny/kernel.yaml: the kernel spec cannot be read" in told["stderr"][0]
            project.save("kernels/tiny/kernel.yaml", spec())
            reason = "code changed: kernels/tiny/kernel.yaml"
            assert (await page.opened(2))["restored"] == reason
        server.stop()


async def test_without_watching_restart_takes_the_spec_as_it_is_now(project):
    project.index(a="tiny")
    project.save("kernels/tiny/kernel.yaml", spec())
    with Server(project.folder, "--no-watch") as server:
        async with Visitor(server, "a") as page:
            await page.opened(1)
            project.save("kernels/tiny/kernel.yaml", "argv: 5\nprotocol: 1\n")
            await page.socket.write_message('{"__kernel": "restart"}')
            await wait_until(lambda: page.loads("__kernel")[-1]["state"] == "failed")
            told = page.loads("__kernel")[-1]
            assert (
                told["reason"]
                == "kernel 'a': the kernel spec 'tiny' cannot be used; the server's log says why"
            )
            assert "kernel.yaml:1: argv is 5, expected a list of words" in told["stderr"][0]
            project.save("kernels/tiny/kernel.yaml", spec("{python}", STUB, "--edited"))
            await page.socket.write_message('{"__kernel": "restart"}')
            assert (await page.opened(2))["restored"] == "kernel 'a' was restarted by a page"
            assert server.kernel("a").cmdline()[-1] == "--edited"
        server.stop()


async def test_the_first_spec_of_a_project_is_seen_too(project):
    project.index(a="tiny")
    with Server(project.folder) as server:
        assert "there is no kernel 'tiny'; known: py" in get(server, "/a/")[1]
        project.save("kernels/tiny/kernel.yaml", spec())
        await wait_page(server, "/a/", 200)
        server.stop()


async def test_a_program_that_is_missing_is_said_before_a_start_and_found_once_there(
    project, tmp_path, monkeypatch
):
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    project.index(a="tiny")
    project.save("kernels/tiny/kernel.yaml", spec("tiny-language", STUB))
    with Server(project.folder) as server:
        text = get(server, "/a/")[1]
        assert "kernels/tiny/kernel.yaml: the program 'tiny-language' is not in PATH" in text
        assert "analysis 'a' needs this kernel" in server.printed
        program = programs / "tiny-language"
        program.with_suffix(".new").write_text('#!/bin/sh\nexec python3 "$@"\n')
        program.with_suffix(".new").chmod(0o755)
        program.with_suffix(".new").rename(program)
        await wait_page(server, "/a/", 200)
        server.stop()


async def test_a_source_beside_the_spec_restarts_a_kernel_that_names_none(project):
    project.index(a="tiny")
    source = (KERNELS / "stub" / "kernel.py").read_text()
    project.save("kernels/tiny/kernel.py", "import sys\nsys.exit('no such thing')\n")
    project.save("kernels/tiny/kernel.yaml", spec("{python}", "{spec}/kernel.py"))
    with Server(project.folder) as server:
        async with Visitor(server, "a") as page:
            await wait_until(lambda: [k for k in page.loads("__kernel") if k["state"] == "failed"])
            project.save("kernels/tiny/kernel.py", source)
            assert (await page.opened(1))["restored"] == "code changed: kernels/tiny/kernel.py"
        server.stop()


def ends(page, id_):
    loads = [load for load in page.loads("__process") if load["id"] == id_]
    return [load["result"] for load in loads if load["status"] == "end"]
