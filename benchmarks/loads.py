"""Echoes, streams and big payloads: one function each, called once per server and round."""

from __future__ import annotations

import itertools
import select
import time
from collections.abc import Callable, Sequence

from benchmarks.client import ANSWER_TIMEOUT_S, Page, PageError, Pump, action

PAYLOAD_BYTES = 1_000_000

_NUMBERS = itertools.count(1)


def echo_latencies_s(page: Page, count: int, signal: str = "echo") -> list[float]:
    """Send, wait, send the next; each answer is checked to be that of its question."""
    samples: list[float] = []
    for number in range(1_000_000, 1_000_000 + count):
        frame = action(signal, str(number))
        expected = b"%d}" % number
        sent_s = time.perf_counter()
        page.send(frame)
        answer = b""
        while b'"echo"' not in answer:
            for answer in page.receive():
                if b'"echo"' in answer:
                    break
        samples.append(time.perf_counter() - sent_s)
        if not answer.endswith(expected):
            raise PageError(f"echo of {number} was answered with {answer!r}")
    return samples


def pipelined_rate(pages: Sequence[Page], in_flight: int, duration_s: float) -> tuple[int, float]:
    """Keep `in_flight` echoes open on every page.

    Returns:
        How many were answered, and in how many seconds; the last ones are waited for outside.
    """
    frame = action("echo", "1234567")
    over_s = time.perf_counter() + duration_s
    open_count = in_flight * len(pages)
    answered = counted = 0
    ended_s = 0.0

    def on_payloads(_page: Page, payloads: list[bytes]) -> bytes:
        nonlocal answered, counted, open_count, ended_s
        count = sum(b"1234567" in payload for payload in payloads)
        answered += count
        now_s = time.perf_counter()
        if now_s < over_s:
            counted, ended_s = answered, now_s
            return frame * count
        open_count -= count
        return b""

    with Pump(pages) as pump:
        started_s = time.perf_counter()
        for page in pages:
            pump.send(page, frame * in_flight)
        pump.run(on_payloads, lambda: open_count == 0)
    return counted, ended_s - started_s


def stream_s(page: Page, count: int) -> float:
    """From the action to the last of `count` small emits; order and number are checked."""
    got = 0
    last = b""

    def on_payloads(_page: Page, payloads: list[bytes]) -> bytes:
        nonlocal got, last
        ticks = [payload for payload in payloads if b'"tick"' in payload]
        got += len(ticks)
        last = ticks[-1] if ticks else last
        return b""

    with Pump([page]) as pump:
        started_s = time.perf_counter()
        pump.send(page, action("stream", str(count)))
        pump.run(on_payloads, lambda: got >= count)
        took_s = time.perf_counter() - started_s
    if got != count or b"%d}" % (count - 1) not in last:
        raise PageError(f"stream of {count} ended as number {got} with {last!r}")
    return took_s


def payload_s(page: Page, count: int, in_flight: int = 2) -> float:
    """Echo `count` payloads of `PAYLOAD_BYTES`, `in_flight` at a time; sizes are checked."""
    frame = action("echo", '"' + "x" * (PAYLOAD_BYTES - 2) + '"')
    unsent, unanswered = count - in_flight, count

    def on_payloads(_page: Page, payloads: list[bytes]) -> bytes:
        nonlocal unsent, unanswered
        big = [payload for payload in payloads if b'"echo"' in payload[:40]]
        if any(len(payload) < PAYLOAD_BYTES for payload in big):
            raise PageError(f"an echo of {PAYLOAD_BYTES} bytes came back shorter")
        unanswered -= len(big)
        more = min(unsent, len(big))
        unsent -= more
        return frame * more

    with Pump([page]) as pump:
        started_s = time.perf_counter()
        pump.send(page, frame * in_flight)
        pump.run(on_payloads, lambda: unanswered == 0)
        return time.perf_counter() - started_s


def share_s(pages: Sequence[Page], value: int) -> float:
    """From one page's change of class_data until the last page has it.

    The clock stops when something has arrived on every page; only then it is read and checked,
    because reading 1,000 sockets one by one costs as much as it costs a server to write them.
    """
    mark = b"%d" % value
    waiting = {page.fileno(): page for page in pages}
    with Pump(pages) as pump, select.epoll() as poll:
        for page in pages:
            poll.register(page, select.EPOLLIN | select.EPOLLET)
        unseen = set(waiting)
        started_s = time.perf_counter()
        pump.send(pages[0], action("share", str(value)))
        while unseen:
            events = poll.poll(ANSWER_TIMEOUT_S)
            if not events:
                raise PageError(f"{len(unseen)} pages heard nothing in {ANSWER_TIMEOUT_S:g} s")
            unseen.difference_update([fd for fd, _ in events])
        took_s = time.perf_counter() - started_s
        for fd, page in list(waiting.items()):
            if _has_shared(page.receive(), mark):
                del waiting[fd]
        if not waiting:
            return took_s
        # Some pages were told something else first: count until they have the value, too.
        pump.run(lambda page, got: _drop_shared(waiting, page, got, mark), lambda: not waiting)
        return time.perf_counter() - started_s


def _has_shared(payloads: list[bytes], mark: bytes) -> bool:
    return any(b"class_data" in payload and mark in payload for payload in payloads)


def _drop_shared(waiting: dict[int, Page], page: Page, got: list[bytes], mark: bytes) -> bytes:
    if _has_shared(got, mark):
        waiting.pop(page.fileno(), None)
    return b""


def revival_s(page: Page, kill: Callable[[], None]) -> float:
    """From the kill of the page's kernel until an echo is answered.

    The page acts as soon as the kernel is dead and again at each `lost` it is told.
    """
    killed_s = time.perf_counter()
    kill()
    page.send(_asked())
    while time.perf_counter() < killed_s + ANSWER_TIMEOUT_S:
        for payload in page.receive():
            compact = payload.replace(b" ", b"")
            if compact.startswith(b'{"signal":"echo"') and b'"back"' in compact:
                return time.perf_counter() - killed_s
            if b'"end"' in compact and b'"done"' not in compact:
                page.send(_asked())
    raise PageError(f"no successful action within {ANSWER_TIMEOUT_S:g} s of the kill")


def reload_s(page: Page, save: Callable[[], None], mark: bytes) -> float:
    """From the save of an idle kernel's code until an echo of the new code holds `mark`."""
    saved_s = time.perf_counter()
    save()
    while time.perf_counter() < saved_s + ANSWER_TIMEOUT_S:
        page.send(action("echo", '"which"'))
        if select.select([page], [], [], 0.02)[0] and any(mark in got for got in page.receive()):
            return time.perf_counter() - saved_s
    raise PageError(f"no new code within {ANSWER_TIMEOUT_S:g} s of the save")


def _asked() -> bytes:
    # An id that a session has seen is not run again.
    return action("echo", f'{{"value": "back", "__process_id": {next(_NUMBERS)}}}')
