"""Sessions that outlive their page: links, runs left behind, lost networks, killed servers."""

import contextlib
import socket
import threading
import time

import pytest
from playwright.sync_api import expect

LOST = "Connection lost"
CODE = """
import asyncio

import databench

gates = {}


class Steps(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(curve=[], note='')

    @databench.on
    async def run(self):
        '''Ten steps; the fourth and later ones wait for `go`.'''
        gate = gates.setdefault(self.id_, asyncio.Event())
        for i in range(10):
            if i == 3:
                await gate.wait()
            self.set_state(curve=[*self.data['curve'], i])
            await self.emit('step', i)

    @databench.on
    async def go(self):
        gates.setdefault(self.id_, asyncio.Event()).set()

    @databench.on
    def spin(self):
        self.emit('spinning')
        while True:
            pass

    @databench.on
    def endless_c_call(self):
        self.emit('spinning')
        sum(range(10 ** 14))
"""
PAGE = """{% extends "analysis.html" %}
{% block analysis %}
<input name="note" aria-label="Note">
<button data-action="run">Run</button>
<button data-action="go">Go</button>
<button data-cancel="run">Cancel</button>
<button data-action="spin">Spin</button>
<button data-cancel="spin">Cancel spin</button>
<button data-action="endless_c_call">C call</button>
<button data-cancel="endless_c_call">Cancel C call</button>
<progress data-progress="run"></progress>
<p>Curve <span id="curve" data-signal="data:curve"></span></p>
<p>Steps <span id="steps"></span></p>
{% end %}
{% block footer %}
<script>
  const d = Databench.connect();
  globalThis.databench = d;
  d.on('step', i => { document.getElementById('steps').textContent += ` ${i}`; });
  Databench.ui.wire(d);
</script>
{% end %}
"""
INDEX = """
datastore: sqlite:///state.db
settings: {cancel_limit_s: 0.5}
analyses:
  - name: steps
  - name: alone
    isolation: session
    preheat: 0
    max_kernels: 1
"""
ALL = " 0 1 2 3 4 5 6 7 8 9"


@pytest.fixture
def served(serve, tmp_path):
    for name in ("steps", "alone"):
        folder = tmp_path / "analyses" / name
        folder.mkdir(parents=True)
        (folder / "analysis.py").write_text(CODE)
        (folder / "index.html").write_text(PAGE)
    (tmp_path / "analyses" / "index.yaml").write_text(INDEX)
    return serve(tmp_path / "analyses")


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def alerts(page):
    return page.locator("#databench-alerts")


def begin(page):
    """Begins a run, which stands still after three of ten steps."""
    button(page, "Run").click()
    expect(page.locator("#steps")).to_have_text(" 0 1 2")


def spin(page, name):
    """Presses a button, and waits until its action is about to compute for ever."""
    page.evaluate("void databench.once('spinning').then(() => { window.isSpinning = true; })")
    button(page, name).click()
    page.wait_for_function("window.isSpinning")


def wait_written(folder, *words):
    """Waits until the datastore's files hold these words."""
    for _ in range(2000):
        held = b"".join(file.read_bytes() for file in folder.glob("state.db*"))
        if all(word in held for word in words):
            return
        time.sleep(0.01)
    raise AssertionError(f"not written: {words}")


def link(page):
    return page.evaluate("databench.sessionLink()").removeprefix(page.evaluate("location.origin"))


class Wire:
    """A proxy between pages and a server: it can be cut, and joined again."""

    def __init__(self, port):
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs = []
        self._is_cut = False
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{self.address}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._is_cut:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._port))
                self._pairs += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    @staticmethod
    def _pass_on(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self._is_cut = True
        for end in self._pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._pairs.clear()

    def join(self):
        self._is_cut = False

    def close(self):
        self.cut()
        self._listener.close()


@pytest.fixture
def wire(served):
    wire = Wire(served.port)
    yield wire
    wire.close()


def test_a_page_reloaded_within_a_run_has_the_whole_curve(served, pages):
    page = pages.open(served, "/steps/")
    begin(page)
    page.reload()
    expect(button(page, "Run")).to_be_disabled()
    expect(page.locator("#steps")).to_have_text(" 0 1 2")
    button(page, "Go").click()
    expect(page.locator("#steps")).to_have_text(ALL)
    assert page.evaluate("databench.state.data.curve") == list(range(10))
    expect(button(page, "Run")).to_be_enabled()


def test_a_page_without_network_says_so_and_catches_up(wire, pages):
    pages.allow("ERR_", "WebSocket connection to")
    page = pages.open(wire, "/steps/")
    begin(page)
    wire.cut()
    expect(alerts(page)).to_contain_text(LOST)
    expect(alerts(page)).to_contain_text("“run” continues on the server")
    button(page, "Go").click()  # waits for the connection, and goes once
    expect(alerts(page)).to_contain_text("1 action waits to be sent")
    wire.join()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#steps")).to_have_text(ALL)
    expect(alerts(page)).not_to_contain_text(LOST)
    expect(button(page, "Run")).to_be_enabled()


def test_the_browsers_own_offline_is_told_and_ends_with_it(served, pages):
    pages.allow("ERR_", "WebSocket connection to")
    page = pages.open(served, "/steps/")
    begin(page)
    page.context.set_offline(True)
    page.evaluate("databench.link.socket?.close()")  # emulation leaves open sockets alone
    expect(alerts(page)).to_contain_text(LOST)
    page.context.set_offline(False)
    button(page, "Go").click()
    expect(page.locator("#steps")).to_have_text(ALL)
    expect(alerts(page)).not_to_contain_text(LOST)


def test_two_pages_on_one_session_see_the_same_and_both_act(served, pages):
    first = pages.open(served, "/steps/?a=1")
    begin(first)
    second = pages.open(served, link(first))
    expect(second.locator("#steps")).to_have_text(" 0 1 2")
    expect(button(second, "Run")).to_be_disabled()
    button(second, "Go").click()
    for page in (first, second):
        expect(page.locator("#steps")).to_have_text(ALL)
        expect(button(page, "Run")).to_be_enabled()
    second.get_by_label("Note").fill("from the second")
    second.get_by_label("Note").press("Tab")
    expect(first.get_by_label("Note")).to_have_value("from the second")
    second.reload()
    assert second.evaluate("databench.analysisId") == first.evaluate("databench.analysisId")
    assert second.evaluate("databench.requestArgs") == "?a=1"


def test_a_link_to_a_session_that_has_ended_begins_a_new_one_and_says_so(served, pages):
    page = pages.open(served, "/steps/?a=1&session=gone")
    expect(alerts(page)).to_contain_text("The earlier session has ended. This is a new one.")
    page.wait_for_function("location.search === '?a=1'")
    id_ = page.evaluate("databench.analysisId")
    page.reload()
    page.wait_for_function("databench.analysisId")
    assert page.evaluate("databench.analysisId") == id_
    expect(alerts(page)).not_to_contain_text("has ended")


def test_a_run_left_behind_is_found_by_its_person_alone(served, pages):
    page = pages.open(served, "/steps/")
    begin(page)
    context = page.context
    page.close()
    back = pages.tab(context, served, "/steps/")
    expect(alerts(back)).to_contain_text("1 of your runs is still in progress: “run”")
    stranger = pages.open(served, "/steps/")
    expect(button(stranger, "Run")).to_be_enabled()
    expect(alerts(stranger)).not_to_contain_text("still in progress")
    button(back, "Rejoin").click()
    expect(back.locator("#steps")).to_have_text(" 0 1 2")
    expect(button(back, "Run")).to_be_disabled()
    button(back, "Go").click()
    expect(back.locator("#steps")).to_have_text(ALL)


def test_what_was_left_behind_can_be_left_there(served, pages):
    page = pages.open(served, "/steps/")
    begin(page)
    context = page.context
    page.close()
    back = pages.tab(context, served, "/steps/")
    button(back, "Dismiss").click()
    expect(alerts(back)).not_to_contain_text("still in progress")


def test_a_killed_server_that_is_back_has_state_and_the_page_goes_on(served, pages, tmp_path):
    pages.allow("ERR_CONNECTION_REFUSED", "WebSocket connection to", "is lost")
    page = pages.open(served, "/steps/")
    page.evaluate("window.isSamePage = true")
    page.get_by_label("Note").fill("kept")
    page.get_by_label("Note").press("Tab")
    begin(page)
    wait_written(tmp_path / "analyses", b'"kept"', b"[0,1,2]")
    served.kill()
    expect(alerts(page)).to_contain_text(LOST)
    served.restart()
    expect(alerts(page)).not_to_contain_text(LOST)
    expect(alerts(page)).to_contain_text("“run” was lost")
    expect(button(page, "Run")).to_be_enabled()
    expect(page.get_by_label("Note")).to_have_value("kept")
    assert page.evaluate("databench.state.data.curve") == [0, 1, 2]
    assert page.evaluate("window.isSamePage")
    button(page, "Go").click()
    button(page, "Run").click()
    expect(page.locator("#steps")).to_have_text(" 0 1 2" + ALL)


# -- copied tabs -----------------------------------------------------------------------------------

SHARES = "This tab is a copy of another one and shares its session"


def copied(page):
    """What "Duplicate tab" opens: a page with the same address and a copy of the tab's storage."""
    with page.context.expect_page() as opened:
        page.evaluate("void window.open(location.href)")
    opened.value.wait_for_function("globalThis.databench?.analysisId")  # its script may be to come
    return opened.value


def test_a_copied_tab_says_that_it_shares_and_takes_a_session_of_its_own(served, pages):
    first = pages.open(served, "/steps/")
    begin(first)
    copy = copied(first)
    expect(alerts(copy)).to_contain_text(SHARES)
    expect(copy.locator("#steps")).to_have_text(" 0 1 2")
    expect(alerts(first)).not_to_contain_text("copy")
    copy.reload()
    expect(alerts(copy)).to_contain_text(SHARES)
    button(copy, "Use a new session").click()
    expect(copy.locator("#steps")).to_have_text("")
    expect(button(copy, "Run")).to_be_enabled()
    expect(alerts(copy)).not_to_contain_text("copy")
    assert copy.evaluate("databench.analysisId") != first.evaluate("databench.analysisId")
    id_ = first.evaluate("databench.analysisId")
    first.reload()
    expect(first.locator("#steps")).to_have_text(" 0 1 2")
    assert first.evaluate("databench.analysisId") == id_
    expect(alerts(first)).not_to_contain_text("copy")


def test_a_tab_that_shares_by_a_link_is_no_copy(served, pages):
    first = pages.open(served, "/steps/")
    begin(first)
    with first.context.expect_page() as opened:
        first.evaluate("void window.open(databench.sessionLink())")
    second = opened.value
    expect(second.locator("#steps")).to_have_text(" 0 1 2")
    second.reload()
    expect(second.locator("#steps")).to_have_text(" 0 1 2")
    assert second.evaluate("databench.analysisId") == first.evaluate("databench.analysisId")
    for page in (first, second):
        expect(alerts(page)).not_to_contain_text("copy")


# -- cancels in their hard cases -------------------------------------------------------------------


def test_a_cancel_in_a_worker_thread_leaves_the_main_thread_alone(served, pages):
    first, second = pages.open(served, "/steps/"), pages.open(served, "/steps/")
    for page in (first, second):
        spin(page, "Spin")
    button(second, "Cancel spin").click()
    expect(button(second, "Spin")).to_be_enabled()
    expect(button(first, "Spin")).to_be_disabled()
    button(first, "Cancel spin").click()
    expect(button(first, "Spin")).to_be_enabled()


def test_a_c_call_in_a_shared_kernel_is_ended_when_that_was_asked_for(served, pages):
    pages.allow("ended by a page")
    first, second = pages.open(served, "/steps/"), pages.open(served, "/steps/")
    expect(button(second, "Run")).to_be_enabled()
    spin(first, "C call")
    button(first, "Cancel C call").click()
    button(first, "End it").click()
    expect(alerts(first)).to_contain_text("2 sessions share this kernel")
    button(first, "End it for all").click()
    expect(button(first, "C call")).to_be_enabled()
    begin(first)


def test_a_c_call_in_a_kernel_of_its_own_is_ended_by_the_server(served, pages):
    pages.allow("did not end within")
    page = pages.open(served, "/alone/")
    page.get_by_label("Note").fill("kept")
    page.get_by_label("Note").press("Tab")
    spin(page, "C call")
    button(page, "Cancel C call").click()
    expect(button(page, "C call")).to_be_enabled()
    expect(button(page, "End it")).to_have_count(0)
    begin(page)
    expect(page.get_by_label("Note")).to_have_value("kept")


# -- a queue ---------------------------------------------------------------------------------------


def test_a_page_that_queues_says_so_and_what_it_asks_runs_in_its_turn(served, pages):
    first = pages.open(served, "/alone/")
    begin(first)
    second = pages.open(served, "/alone/")
    expect(alerts(second)).to_contain_text("Waiting for a free kernel: you are next")
    button(second, "Go").click()
    button(second, "Run").click()
    third = pages.open(served, "/alone/")
    expect(alerts(third)).to_contain_text("Waiting for a free kernel: 1 before you")
    expect(second.locator("#steps")).to_have_text("")
