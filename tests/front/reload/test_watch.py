"""Real files and events in front of a front over a fake broker: what a save makes of it."""

import asyncio
import json
import os
import re

import pytest
import tornado.websocket
from watchfiles._rust_notify import WatchfilesRustInternalError

from databench.config import load, of_script
from databench.front.folders import from_folder
from databench.front.reload import watch
from databench.front.reload.watch import Watcher, is_editable

pytestmark = pytest.mark.slow


class Watched:
    """A watched front."""

    def __init__(self, served, folder):
        self.served, self.folder, self.broker = served, folder, served.broker
        self.own = []
        self.reads = 0
        self.watcher = Watcher(served.context, on_index=self._read, on_own=self.own.append)

    def _read(self):
        self.reads += 1
        self.served.front.swap(load(self.folder))

    def calls(self, word):
        return [call[1:] for call in self.broker.calls if call[0] == word]

    def save(self, name, text):
        """As editors save: a new file moved over the old one."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_text(text)
        fresh.rename(path)


@pytest.fixture
async def watched(serve, folder):
    found = Watched(await serve(page_ping_interval_s=0, watch_scan_s=60.0), folder)
    found.served.context.is_watched = True
    await found.watcher.start()
    found.reads = 0
    yield found
    found.watcher.stop()


async def test_saved_source_restarts_its_kernel(watched):
    watched.save("x/analysis.py", "secret = 2")
    await watched.broker.wait("change_code")
    assert watched.calls("change_code") == [("x", "analyses/x/analysis.py", False)]
    assert watched.reads == 0


async def test_burst_is_one_change(watched):
    for number in range(50):
        watched.save(f"../apart/part{number}.py", "x = 1")
    (watched.folder.parent / "apart").rename(watched.folder / "x" / "parts")
    await watched.broker.wait("change_code")
    assert watched.calls("change_code") == [("x", "analyses/x/parts/part0.py and 49 more", False)]


async def test_files_are_looked_at_when_a_burst_is_over(watched):
    watched.watcher.stop()
    looks, waits = [], []
    watcher = Watcher(watched.served.context, on_index=watched._read)
    watcher._look = lambda: looks.append(len(waits))

    class Events:
        """Three bursts of the system's events, then the end."""

        happens = iter([{1}, {2}, {3}, "timeout", {4}, "timeout", "timeout", {5}, "stop"])

        def watch(self, debounce_ms, step_ms, limit_ms, _stop):
            waits.append(limit_ms)
            happened = next(self.happens)
            if len(waits) == 8:
                watcher._wake.set()  # another plan: it is looked at when that is listened to
            return happened

    watcher._wait(Events())
    assert looks == [4, 6, 7]
    quiet = watch.QUIET_MS
    assert waits == [60_000, quiet, quiet, quiet, 60_000, quiet, 60_000, 60_000, quiet]


async def test_same_content_touch_and_hidden_files_are_nothing(watched):
    watched.save("x/analysis.py", (watched.folder / "x" / "analysis.py").read_text())
    os.utime(watched.folder / "x" / "analysis.py")
    watched.save("x/.hidden.py", "1")
    watched.save("x/__pycache__/a.cpython-311.pyc", "1")
    watched.save("x/analysis.py~", "1")
    watched.save("x/last.py", "the last one shows that the others were seen")
    await watched.broker.wait("change_code")
    assert watched.calls("change_code") == [("x", "analyses/x/last.py", False)]


async def test_reload_at_once_is_passed_on(watched):
    watched.save("index.yaml", "analyses: [{name: x, reload: at once}]")
    while watched.reads < 1:
        await asyncio.sleep(0.005)
    watched.save("x/analysis.py", "secret = 2")
    await watched.broker.wait("change_code")
    assert watched.calls("change_code")[0][2] is True


async def test_page_without_a_template_is_loaded_again_where_its_buttons_are_others(watched):
    source = "class X(databench.Analysis):\n    def on_run(self): ...\n"
    watched.save("x/analysis.py", source)
    await watched.broker.wait("change_code")
    await watched.served.get("/x/")
    assert watched.served.context.offered == {"x": ("run",)}
    watched.save("x/analysis.py", f"{source}    x = 1\n")
    await watched.broker.wait("change_code", 2)
    watched.save("x/analysis.py", source.replace("run", "walk"))
    await watched.broker.wait("announce")
    (frame,) = [json.loads(call[0]) for call in watched.calls("announce")]
    assert frame["load"]["paths"] == ["/x/"]


async def test_glob_of_index_yaml_restarts(watched):
    watched.save("data/a.csv", "1")
    watched.save("index.yaml", "analyses: [{name: x, watch: ['data/*.csv']}]")
    while watched.reads < 1:
        await asyncio.sleep(0.005)
    while not watched.watcher._scanner._plan.globs:
        await asyncio.sleep(0.005)  # a save before that look is no change: nobody has read it
    watched.save("data/b.csv", "1")
    await watched.broker.wait("change_code")
    assert watched.calls("change_code") == [("x", "analyses/data/b.csv", False)]


async def test_file_of_a_page_is_announced_with_its_addresses(watched):
    watched.save("x/static/a.css", "p {}")
    await watched.broker.wait("announce")
    (frame,) = watched.calls("announce")[0]
    load = {"paths": ["/x/static/a.css"], "saves": watched.served.context.saves.count}
    assert json.loads(frame) == {"signal": "__reload", "load": load}


async def test_page_hears_of_a_save_between_its_load_and_its_join(watched, folder):
    (folder / "base.html").unlink()  # the packaged one has the count
    page = (await watched.served.get("/x/")).body.decode()
    count = int(re.search(r'name="databench-saves" content="(\d+)"', page)[1])
    watched.save("x/static/a.css", "p {}")
    await watched.broker.wait("announce")
    late = await watched.served.connect(join=False)
    await late.write_message(json.dumps({"__connect": None, "__saves": count}))
    assert json.loads(await late.read_message())["signal"] == "__connect"
    frame = json.loads(await late.read_message())
    load = {"paths": ["/x/static/a.css"], "saves": count + 1, "missed": True}
    assert frame == {"signal": "__reload", "load": load}
    again = (await watched.served.get("/x/")).body.decode()
    assert f'content="{count + 1}"' in again  # so that the page that follows is told nothing


async def follow(watched):
    page = await tornado.websocket.websocket_connect(f"ws://{watched.served.address}/_reload")
    watched.served.keep(page)
    await page.write_message('{"__connect": null}')
    assert json.loads(await page.read_message())["signal"] == "__connect"
    return page


async def paths_of(page):
    frame = json.loads(await asyncio.wait_for(page.read_message(), 5))
    assert frame["signal"] == "__reload"
    return frame["load"]["paths"]


async def test_broken_index_keeps_what_is_served_and_the_next_save_mends_it(watched):
    page = await follow(watched)
    watched.save("index.yaml", "analyses: [")
    assert await paths_of(page) == ["/"]
    body = (await watched.served.get("/")).body.decode()
    assert "index.yaml:1" in body
    assert 'href="/x/"' in body
    watched.save("index.yaml", "analyses: [{name: x, title: Other}]")
    assert await paths_of(page) == ["/", "/x/"]
    body = (await watched.served.get("/")).body.decode()
    assert "Other" in body
    assert "index.yaml" not in body


@pytest.mark.expected_log("/fresh/ 404")
async def test_new_analysis_appears_and_one_that_goes_disappears(watched):
    page = await follow(watched)
    watched.save("fresh/analysis.py", "1")
    assert "/" in await paths_of(page)
    assert (await watched.served.get("/fresh/")).code == 200
    (watched.folder / "fresh" / "analysis.py").unlink()
    assert "/fresh/" in await paths_of(page)
    assert (await watched.served.get("/fresh/")).code == 404


@pytest.mark.expected_log("/late/ 503")
async def test_page_of_a_broken_analysis_recovers_on_the_save_that_mends_it(watched):
    page = await follow(watched)
    watched.save("index.yaml", "analyses: [{name: x}, {name: late}]")
    assert "/late/" in await paths_of(page)
    answer = await watched.served.get("/late/")
    assert answer.code == 503
    assert "restart Databench" not in answer.body.decode()
    watched.save("late/analysis.py", "1")
    assert "/late/" in await paths_of(page)
    assert (await watched.served.get("/late/")).code == 200


@pytest.mark.expected_log("ZeroDivisionError.*its routes are not served")
async def test_routes_are_read_anew_and_what_is_wrong_with_them_shows(watched):
    page = await follow(watched)
    watched.served.front.place = from_folder(watched.folder)
    watched.save("x/routes.py", "ROUTES = 1 / 0")
    assert await paths_of(page) == ["/", "/x/"]
    assert "routes.py" in watched.served.context.find_faults("x")[0]
    watched.save(
        "x/routes.py",
        "import tornado.web\n\n\nclass Hi(tornado.web.RequestHandler):\n"
        "    def get(self):\n        self.write('hi')\n\n\nROUTES = [('hi', Hi, {})]\n",
    )
    assert await paths_of(page) == ["/", "/x/"]
    assert (await watched.served.get("/x/hi")).body == b"hi"
    assert watched.calls("change_code") == []


@pytest.mark.expected_log("template failed|/x/ 500")
async def test_template_error_page_follows_and_comes_back(watched):
    page = await follow(watched)
    watched.save("x/index.html", "{% if %}")
    assert "/x/" in await paths_of(page)
    assert "Databench.follow()" in (await watched.served.get("/x/")).body.decode()
    watched.save("x/index.html", "fine")
    assert "/x/" in await paths_of(page)
    assert "Databench.follow()" not in (await watched.served.get("/x/")).body.decode()


async def test_files_that_a_kernel_names_are_watched_wherever_they_are(watched, tmp_path):
    far = tmp_path / "far" / "lib.txt"
    far.parent.mkdir()
    far.write_text("1")
    watched.broker.sources = lambda name: {str(far): None} if name == "x" else None
    watched.watcher.renew()
    while not watched.watcher._scanner._plan.files:
        await asyncio.sleep(0.005)
    far.write_text("2")
    await watched.broker.wait("change_code")
    assert watched.calls("change_code") == [("x", "far/lib.txt", False)]


@pytest.mark.expected_log("max_user_instances", "max_user_watches")
@pytest.mark.parametrize("where", ["instances", "watches"])
async def test_without_inotify_saves_are_seen_in_turn_and_one_sentence_says_why(
    serve, folder, monkeypatch, caplog, where
):
    number = 24 if where == "instances" else 28

    def refuse(*_args):
        raise WatchfilesRustInternalError(f"Error creating recommended watcher (os error {number})")

    monkeypatch.setattr(watch, "RustNotify", refuse)
    found = Watched(await serve(page_ping_interval_s=0, watch_scan_s=0.1), folder)
    found.served.context.is_watched = True
    await found.watcher.start()
    try:
        for number in (2, 3):
            found.save("x/analysis.py", f"secret = {number}")
            await found.broker.wait("change_code")
            found.broker.calls.clear()
    finally:
        found.watcher.stop()
    (said,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert said.startswith(
        "Databench checks for saved files every 0.1 s instead of at once: no inotify "
    )
    assert f"Raise fs.inotify.max_user_{where}" in said


@pytest.mark.expected_log(
    "saved files every 0.1 s instead of at once: the system allows no further thread"
)
async def test_without_a_thread_for_events_saves_are_seen_in_turn(
    serve, folder, monkeypatch, few_threads
):
    made = []
    monkeypatch.setattr(watch, "RustNotify", lambda *args: made.append(args))
    found = Watched(await serve(page_ping_interval_s=0, watch_scan_s=0.1), folder)
    found.served.context.is_watched = True
    with few_threads(2):  # the watcher's own, and one
        await found.watcher.start()
        try:
            found.save("x/analysis.py", "secret = 2")
            await found.broker.wait("change_code")
        finally:
            found.watcher.stop()
    assert made == []


async def test_events_are_taken_again_when_the_system_has_some(serve, folder, monkeypatch):
    refused, real = [], watch.RustNotify

    def refuse_once(*args):
        if not refused:
            refused.append(args)
            raise WatchfilesRustInternalError("(os error 24)")
        return real(*args)

    monkeypatch.setattr(watch, "RustNotify", refuse_once)
    monkeypatch.setattr(watch.log, "warning", lambda *_args: None)
    found = Watched(await serve(page_ping_interval_s=0, watch_scan_s=0.1), folder)
    listened = asyncio.Event()
    wait, loop = found.watcher._wait, asyncio.get_running_loop()

    def note(events):
        loop.call_soon_threadsafe(listened.set)
        wait(events)

    found.watcher._wait = note
    await found.watcher.start()
    try:
        await asyncio.wait_for(listened.wait(), 20)
    finally:
        found.watcher.stop()


@pytest.mark.expected_log("does not notice saved files")
async def test_without_a_thread_pages_are_served_and_nothing_is_promised(
    serve, folder, monkeypatch
):
    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    found = Watched(await serve(page_ping_interval_s=0), folder)
    found.served.context.is_watched = True
    monkeypatch.setattr(watch.threading.Thread, "start", refuse)
    await found.watcher.start()
    assert not found.served.context.is_watched
    found.watcher.stop()


@pytest.mark.parametrize(
    ("problem", "part"),
    [
        ("Error creating recommended watcher: Too many open files (os error 24)", "is 128;"),
        ("No space left on device (os error 28)", "is reached;"),
        ("OS file watch limit reached.", "max_user_watches"),
        ("No such file or directory", "instead of at once: No such file"),
    ],
)
def test_words_for_events_that_are_not_given(problem, part, tmp_path):
    limits = tmp_path / "fs" / "inotify"
    limits.mkdir(parents=True)
    (limits / "max_user_instances").write_text("128\n")
    assert part in watch.explain(OSError(problem), 2.0, tmp_path)


@pytest.mark.expected_log("reloading after a save failed")
async def test_mistake_with_one_save_is_logged_and_the_next_is_seen(watched):
    original = watched.broker.change_code

    def fail(*_args, **_more):
        watched.broker.change_code = original
        watched.broker._note("failed")
        raise RuntimeError("by the test")

    watched.broker.change_code = fail
    watched.save("x/analysis.py", "2")
    await watched.broker.wait("failed")
    watched.save("x/analysis.py", "3")
    await watched.broker.wait("change_code")


async def test_stopped_watcher_leaves_no_thread(watched):
    watched.watcher.stop()
    assert not watched.watcher._thread.is_alive()


@pytest.mark.parametrize("is_at_root", [True, False])
def test_beside_a_script_its_own_files_are_watched_and_no_folders_but_static(tmp_path, is_at_root):
    index, _ = of_script(
        tmp_path / "pi.py",
        tmp_path,
        "pi",
        title="Pi",
        info={},
        static={r"files/(.*)": "given", r"(x)": "."},
        is_at_root=is_at_root,
    )
    folders, globs = watch._find_folders(index)
    named = {folder for folder in folders if folder.startswith(str(tmp_path))}
    assert named == {str(tmp_path / "static"), str(tmp_path / "given")}
    assert f"{tmp_path}/*.html" in globs


def test_checkout_is_editable_and_an_installation_is_not(tmp_path):
    (tmp_path / ".git").mkdir()
    assert is_editable(tmp_path / "databench")
    assert not is_editable(tmp_path / "site-packages" / "databench")
    assert not is_editable(tmp_path / "elsewhere" / "databench")
