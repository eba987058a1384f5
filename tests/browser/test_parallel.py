"""Work on several processes, and over a real Redis server that comes and goes."""

import math
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import pytest
import redis
from playwright.sync_api import expect

ANALYSES = Path(__file__).resolve().parents[2] / "analyses"
LIMIT_S = 20


class RedisServer:
    """A Redis server on a socket of its own; a start after an end finds nothing of before."""

    def __init__(self):
        if shutil.which("redis-server") is None:
            pytest.skip("no redis-server: run `make .venv/.stamp-redis`")
        self.folder = tempfile.mkdtemp(prefix="r-")  # short: the path of a socket has a limit
        self.path = os.path.join(self.folder, "s")
        self.url = f"unix://{self.path}"
        self.process = None

    def start(self):
        command = ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", ""]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL)
        until = time.monotonic() + LIMIT_S
        with redis.Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    assert time.monotonic() < until
                    time.sleep(0.01)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def store(monkeypatch):
    """Not started yet; the servers of the test look for it."""
    store = RedisServer()
    monkeypatch.setenv("REDIS_URL", store.url)
    yield store
    store.kill()
    shutil.rmtree(store.folder)


def workers(server):
    """The processes of Redis Queue below a server."""
    found = []
    for process in psutil.Process(server.pid).children(recursive=True):
        try:
            if "rq.cli" in process.cmdline():
                found.append(process)
        except psutil.NoSuchProcess:
            pass
    return found


def wait_for(condition):
    until = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def run(page):
    page.get_by_role("button", name="Run", exact=True).click()


def expect_pi(page):
    """The run comes to its end, with π within its uncertainty."""
    expect(page.locator("#log")).to_contain_text('{"action":"done"}', timeout=60_000)
    expect(page.locator("#log")).to_contain_text('"draws":10000000,')
    spans = page.locator("[data-signal^='data:pi.']")
    estimate, uncertainty = (float(text) for text in spans.all_inner_texts())
    assert 0.0004 < uncertainty < 0.0006
    assert abs(estimate - math.pi) < 6 * uncertainty


def test_pool_of_processes_computes_pi_with_the_slider_moved_while_it_runs(server, pages):
    page = pages.open(server, "/fastpi/")
    run(page)
    expect(page.locator("#log")).to_contain_text('"draws"')
    page.get_by_role("slider").press("End")
    expect_pi(page)


def test_workers_follow_the_slider_compute_pi_and_end_with_the_kernel(store, server, pages):
    store.start()
    page = pages.open(server, "/slowpi/")
    run(page)
    expect(page.locator("#running")).to_have_text("2")
    page.get_by_role("slider").press("End")
    expect(page.locator("#running")).to_have_text("4")
    wait_for(lambda: len(workers(server)) == 4)
    page.get_by_role("slider").press("Home")
    expect(page.locator("#running")).to_have_text("1")
    wait_for(lambda: len(workers(server)) == 1)
    workers(server)[0].kill()  # what it was at is drawn again
    page.get_by_role("slider").press("End")
    expect_pi(page)
    left = workers(server)
    assert len(left) == 4
    os.kill(left[0].ppid(), signal.SIGKILL)
    wait_for(lambda: not any(worker.is_running() for worker in left))


def test_run_waits_for_a_redis_that_is_missing_and_for_one_that_goes_away(store, server, pages):
    page = pages.open(server, "/slowpi/")
    note = page.locator("[data-signal='data:note']")
    expect(note).to_contain_text(re.compile("No Redis at .*Start one: redis-server"))
    run(page)
    expect(note).to_contain_text("0 of 100 are counted")
    store.start()
    expect(page.locator("#log")).to_contain_text('"draws"')
    expect(note).to_have_text("")
    store.kill()
    expect(note).to_contain_text(re.compile(r"run waits for it; [1-9]\d* of 100 are counted"))
    store.start()
    expect_pi(page)
    expect(note).to_have_text("")


def test_what_one_page_publishes_others_show_also_after_redis_was_away(store, server, pages):
    reader, writer = pages.open(server, "/redissub/"), pages.open(server, "/redispub/")
    told, word = reader.locator("[data-signal='data:note']"), reader.locator("#word")
    box = writer.get_by_role("textbox")
    expect(told).to_contain_text("Start one: redis-server")
    box.fill("lost")
    box.press("Enter")
    expect(writer.locator("[data-signal='data:note']")).to_contain_text("'lost' is not published")
    for text in ("one", "two"):
        store.start()
        expect(told).to_have_text("Listening.")
        box.fill(text)
        box.press("Enter")
        expect(word).to_have_text(text)
        expect(writer.locator("[data-signal='data:note']")).to_have_text(f"'{text}' was heard by 1")
        store.kill()
        expect(told).to_contain_text("No Redis")


def test_workers_end_with_their_session(store, serve, pages):
    server = serve(None, "--session-grace-s", "0.1")
    store.start()
    page = pages.open(server, "/slowpi/")
    run(page)
    wait_for(lambda: len(workers(server)) == 2)
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    page.close()
    wait_for(lambda: not workers(server))


def test_without_redis_py_the_pages_say_what_to_install(serve, pages, tmp_path):
    folder = shutil.copytree(ANALYSES, tmp_path / "analyses")
    # A kernel finds it first: the project's folder is the first of its path.
    (tmp_path / "redis.py").write_text("raise ImportError(\"No module named 'redis'\")")
    server = serve(folder)
    for name in ("slowpi", "redissub"):
        note = pages.open(server, f"/{name}/").locator("[data-signal='data:note']")
        expect(note).to_contain_text("-m pip install 'databench[redis]'")
