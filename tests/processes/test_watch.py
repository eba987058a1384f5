"""Real files, kernels and websockets: what a save does to kernels, and what it leaves alone."""

import json
import os
import subprocess
import urllib.error
import urllib.request

import pytest
import tornado.httpclient
import tornado.websocket

from tests.broker.harness import is_alive, wait_until
from tests.processes.server import Server

pytestmark = [pytest.mark.process, pytest.mark.slow]

CODE = """\
import databench
from shared.words import WORD


class Demo(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(count=0)
        yield self.class_data.init(visits=0)
        yield self.emit('opened', {'restored': self.restored, **self.data})

    @databench.on
    def ask(self):
        self.data['count'] += 1
        self.emit('answer', WORD)

    @databench.on
    def more(self):
        import late_module
        self.emit('answer', late_module.WORD)
"""


class Project:
    def __init__(self, root):
        self.root = root
        self.folder = root / "analyses"
        self.save("analyses/one/analysis.py", CODE)
        own = CODE.replace("from shared.words import WORD", "WORD = 2")
        self.save("analyses/two/analysis.py", own)
        self.save("shared/__init__.py", "")
        self.save("shared/words.py", "WORD = 1")
        self.save("late_module.py", "WORD = 'late 1'")

    def save(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class Visitor:
    """A page."""

    def __init__(self, server, name):
        self.request = tornado.httpclient.HTTPRequest(
            f"ws://{server.address}/{name}/ws",
            headers={"Authorization": f"Bearer {server.token}"},
        )
        self.frames = []

    async def __aenter__(self):
        self.socket = await tornado.websocket.websocket_connect(
            self.request, on_message_callback=self._take
        )
        await self.socket.write_message('{"__connect": null, "__received": 0}')
        return self

    async def __aexit__(self, *_):
        self.socket.close()
        await wait_until(lambda: None in self.frames)

    def _take(self, message):
        self.frames.append(None if message is None else json.loads(message))

    def loads(self, signal):
        return [f.get("load") for f in self.frames if f is not None and f["signal"] == signal]

    async def signal(self, name, load):
        await wait_until(lambda: load in self.loads(name), what=(name, load, self.frames[-9:]))

    async def say(self, action):
        await self.socket.write_message(json.dumps({"signal": action}))

    async def opened(self, count):
        await wait_until(lambda: len(self.loads("opened")) >= count, what=self.frames[-9:])
        return self.loads("opened")[-1]

    @property
    def generations(self):
        return sorted({load["generation"] for load in self.loads("__kernel")})


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture
def server(project):
    # The tests' own environment keeps Python from writing bytecode, which a person's does not.
    environ = os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with Server(project.folder, "--ping-interval-s", "0.05") as server:
        yield server
    if environ is not None:
        os.environ["PYTHONDONTWRITEBYTECODE"] = environ


async def test_module_outside_of_the_folder_restarts_who_imported_it_with_its_state(
    project, server
):
    async with Visitor(server, "one") as one, Visitor(server, "two") as two:
        await one.say("ask")
        await one.signal("answer", 1)
        await two.say("ask")
        await two.signal("answer", 2)
        pid = server.kernel("two").pid
        old = server.kernel("one").pid
        # Again and again within a second, with the same size: bytecode must not stand in the way.
        for word in (3, 4, 5, 6):
            project.save("shared/words.py", f"WORD = {word}")
            opened = await one.opened(word - 1)
            assert opened == {"restored": "code changed: shared/words.py", "count": word - 2}
            await one.say("ask")
            await one.signal("answer", word)
        assert one.generations == [1, 2, 3, 4, 5]
        assert not is_alive(old)
        assert server.kernel("two").pid == pid
        assert two.generations == [1]


async def test_module_that_an_action_imported_later_restarts_too(project, server):
    async with Visitor(server, "one") as one:
        await one.say("more")
        await one.signal("answer", "late 1")
        await wait_until(lambda: len(one.loads("opened")) == 1)
        project.save("late_module.py", "WORD = 'late 2'")
        # Before or after the kernel has named the module: the save counts either way.
        await one.opened(2)
        await one.say("more")
        await one.signal("answer", "late 2")
        assert one.generations == [1, 2]


async def test_files_without_a_reader_and_saves_without_a_change_restart_nothing(project, server):
    async with Visitor(server, "one") as one:
        await one.say("ask")
        await one.signal("answer", 1)
        project.save("analyses/one/unread.py", "x = 1")
        project.save("analyses/one/analysis.py", CODE)
        os.utime(project.folder / "one" / "analysis.py")
        project.save("analyses/one/.hidden.py", "x = 1")
        project.save("analyses/one/index.html", "shows that the others were seen")
        await wait_until(lambda: one.loads("__reload"))
        await one.say("ask")
        await wait_until(lambda: one.loads("answer") == [1, 1])
        assert one.generations == [1]


async def test_broken_code_is_told_and_the_save_that_mends_it_starts_it(project, server):
    async with Visitor(server, "one") as one:
        await one.opened(1)
        project.save("shared/words.py", "WORD = = 1")
        await wait_until(lambda: one.loads("__kernel")[-1]["state"] == "failed")
        told = "\n".join(one.loads("__kernel")[-1]["stderr"])
        assert 'words.py", line 1' in told
        assert "SyntaxError" in told
        server.wait_printed(r"words\.py\", line 1")
        project.save("shared/words.py", "WORD = 7")
        await one.opened(2)
        await one.say("ask")
        await one.signal("answer", 7)


async def test_start_that_failed_recovers_by_a_file_that_it_never_came_to_read(project, server):
    project.save("analyses/three/analysis.py", "from . import missing_one\n" + CODE)
    await wait_until(lambda: "/three/" in urllib.request.urlopen(server.url).read().decode())
    async with Visitor(server, "three") as three:
        await wait_until(
            lambda: three.loads("__kernel") and three.loads("__kernel")[-1]["state"] == "failed"
        )
        (project.folder / "three" / "missing_one.py").write_text("")
        server.wait_printed("code changed: .*missing_one.py")
        await three.opened(1)


async def test_git_checkout_of_many_files_is_one_restart(project):
    def git(*words):
        environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        name = ("-c", "user.name=n", "-c", "user.email=e@example.org")
        subprocess.run(
            ["git", *name, *words], cwd=project.root, env=environ, check=True, capture_output=True
        )

    names = [f"part{number}" for number in range(60)]
    imports = "".join(f"from analyses.one import {name}\n" for name in names)

    def write(word):
        for name in names:
            project.save(f"analyses/one/{name}.py", f"WORD = {word}")
        project.save("analyses/one/analysis.py", imports + CODE + f"# {word}")

    git("init", "-q")
    for branch, word in (("old", 1), ("new", 2)):
        git("checkout", "-q", "-b", branch)
        write(word)
        git("add", ".")
        git("commit", "-q", "-m", branch)
    with Server(project.folder) as server:
        await check_restarts_once(server, lambda: git("checkout", "-q", "old"))


async def check_restarts_once(server, change):
    async with Visitor(server, "one") as one:
        await one.opened(1)
        change()
        opened = await one.opened(2)
        assert opened["restored"].startswith("code changed: ")
        await one.say("ask")
        await one.signal("answer", 1)
        assert one.generations == [1, 2]


async def test_a_new_version_reaches_pages(project, server):
    async with Visitor(server, "one") as page:
        await page.opened(1)
        project.save("analyses/index.yaml", "version: '2.1'\nanalyses: [{name: one}, {name: two}]")
        await wait_until(lambda: page.loads("__reload"), what=page.frames[-9:])
        assert "/one/" in page.loads("__reload")[0]["paths"]
    async with Visitor(server, "one") as page:
        await wait_until(lambda: page.loads("__connect"))
        assert page.loads("__connect")[0]["analyses_version"] == "2.1"


async def test_without_watching_a_save_does_nothing(project):
    with Server(project.folder, "--no-watch") as server:
        async with Visitor(server, "one") as one:
            await one.opened(1)
            # Of another length: within a second Python tells a change by nothing else.
            project.save("shared/words.py", "WORD = 1 + 1")
            project.save("analyses/one/index.html", "new")
            await one.say("ask")
            await one.signal("answer", 1)
            await one.socket.write_message('{"__kernel": "restart"}')
            opened = await one.opened(2)
            assert "restarted by a page" in opened["restored"]
            await one.say("ask")
            await one.signal("answer", 2)
            assert one.generations == [1, 2]
            assert one.loads("__reload") == []
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{server.url}/_reload")
        assert "checks for saved files" not in server.printed
