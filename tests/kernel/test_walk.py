"""The way of one action through a real kernel: which modules it enters, in which order.

A module is entered where a function of it is called from another of ours; to return to a module is
not to enter it. A walk has four legs: `out`, from the socket to the analysis' code; `emit`, from
there to the socket; `end`, from the code's return to the socket; `after`, what the kernel does then
to be ready for the next action. docs/design/architecture.md tells the same list.
"""

import re
from pathlib import Path

import pytest

from tests.kernel.harness import Front, value

pytestmark = pytest.mark.process

SOURCE = """
    import sys, threading
    import databench

    WALKS = {}
    NEXT = ('call_soon', 'databench.kernel.channel')

    def module_of(frame):
        name = frame.f_globals.get('__name__', '')
        return name if name.startswith(('databench.', 'analyses.')) else None

    def find_caller(frame):
        # A turn of the loop begins anew, and so does a thread.
        frame = frame.f_back
        while frame is not None and frame.f_code.co_name != '_run_once':
            if module_of(frame):
                return frame
            frame = frame.f_back

    def watch(frame, event, _argument):
        if event == 'call' and (module := module_of(frame)):
            caller, name = find_caller(frame), frame.f_code.co_name
            if caller is None:
                note(module)
            # Not an empty function, there so that the interpreter looks for interruptions; nor a
            # message of the next walk that comes during a send.
            elif name != 'checkpoint' and (name, module_of(caller)) != NEXT:
                if module_of(caller) != module:
                    note(module)
        if event == 'return' and frame.f_code.co_name in ('echo', 'echo_later'):
            note('end')

    def note(module):
        walk = WALKS.setdefault(threading.current_thread().name, [])
        module = module.removeprefix('databench.')
        if walk[-1:] != [module]:
            walk.append(module)

    class Demo(databench.Analysis):
        @databench.on
        def echo(self, word):
            self.emit('echo', word)

        @databench.on
        async def echo_later(self, word):
            await self.emit('echo', word)

        @databench.on
        def watch_main(self):
            sys.setprofile(watch)

        @databench.on
        async def watch_loop(self):
            sys.setprofile(watch)

        @databench.on
        async def clear(self):
            WALKS.clear()

        @databench.on
        async def walks(self):
            return WALKS
"""

OUT = [
    "kernel.runtime",
    "kernel.channel",
    "multipart",
    "protocol.codec",
    "protocol.layouts",
    "protocol.messages",
    "kernel.session",
    "kernel.request",
    "kernel.lane",
    "kernel.calls",
    "kernel.arguments",
    "payload.codec",
]
EMIT = [
    "analysis",
    "kernel.outlet",
    "payload.codec",
    "protocol.codec",
    "protocol.layouts",
    "kernel.channel",
]
PLAIN = {
    "out": [*OUT, "kernel.workers"],
    "work": ["kernel.process.dispositions"],
    "emit": EMIT,
    "end": [
        "kernel.process.dispositions",
        "kernel.session",
        "kernel.outlet",
        "protocol.codec",
        "kernel.channel",
        "kernel.lane",
    ],
}
COROUTINE = {
    "out": [*OUT, "kernel.steps", "kernel.loop", "kernel.yields"],
    "emit": EMIT,
    "end": [
        "kernel.request",
        "kernel.session",
        "kernel.outlet",
        "protocol.codec",
        "kernel.channel",
    ],
    "after": ["kernel.lane", "kernel.channel"],
}
MODULE = "analyses.demo.analysis"
LIMIT = 24


def walk(front, session, action):
    """What each thread has entered between two requests of ours."""
    for name in ("watch_main", "watch_loop"):
        front.run(session, name)
    for _ in range(2):  # what is looked up once is known by then
        front.run(session, action, ["hello"])
    front.run(session, "clear")
    front.run(session, action, ["hello"])
    walks = value(front.run(session, "walks")[0])
    return walks.get("MainThread", []), walks["databench-loop"]


def split(modules, *marks):
    """The parts before, between and behind these."""
    parts = []
    for mark in marks:
        at = modules.index(mark)
        parts.append(modules[:at])
        modules = modules[at + 1 :]
    return [*parts, modules]


def find_first(modules):
    """What the first action has entered of the loop's walk, from its reading on."""
    begins = [at for at, module in enumerate(modules) if module == "kernel.runtime"]
    walks = [modules[at:end] for at, end in zip(begins, [*begins[1:], None])]
    return next(walk for walk in walks if "kernel.calls" in walk)


def test_a_plain_action_enters_each_module_once_on_each_leg():
    with Front(SOURCE, auto_credit=False) as front:
        main, loop = walk(front, front.open(), "echo")
    work, emit, end = split(main, MODULE, "end")
    legs = {"out": find_first(loop), "work": work, "emit": emit, "end": end}
    assert legs == PLAIN
    check(legs)


def test_a_coroutine_enters_each_module_once_on_each_leg():
    with Front(SOURCE, auto_credit=False) as front:
        main, loop = walk(front, front.open(), "echo_later")
    assert main == []
    out, emit, behind = split(find_first(loop), MODULE, "end")
    end, after = split(behind, "kernel.lane")
    legs = {"out": out, "emit": emit, "end": end, "after": ["kernel.lane", *after]}
    assert legs == COROUTINE
    check(legs)


def check(legs):
    for leg, modules in legs.items():
        assert len(modules) == len(set(modules)), f"{leg} comes back to a module"
    assert len(set().union(*legs.values())) <= LIMIT


def test_the_document_tells_the_same_walk():
    page = Path(__file__).resolve().parents[2] / "docs/design/architecture.md"
    told = {
        kind: {leg: re.findall(r"`([a-z_.]+)`", line) for leg, line in legs}
        for kind, legs in (
            (kind, re.findall(rf"^\| {kind}, (\w+) \| (.*) \|$", page.read_text(), re.MULTILINE))
            for kind in ("plain", "coroutine")
        )
    }
    assert told == {"plain": PLAIN, "coroutine": COROUTINE}
