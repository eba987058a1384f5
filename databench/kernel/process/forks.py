"""Processes that user code forks: nothing of the kernel continues in them.

A child has a copy of all memory, of every descriptor, and of one thread. There, the kernel's
handlers, loop, sockets and locks would act for the kernel: a pool's worker would not end on
SIGTERM, and a child that returns from its action would run the kernel a second time. So each gives
them up right after the fork, before user code continues, and ends where that code ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable

from . import signals
from .dispositions import Dispositions

# Whether this process is such a child: checked wherever user code ends.
is_child = False
# The kernel's descriptors that are not objects: closed in a child.
descriptors: set[int] = set()


def watch(dispositions: Dispositions) -> None:
    """Let children have signals as user code wants them, and no loop; from the start on."""
    masks: dict[int, set[int | signal.Signals]] = {}  # by thread: several may fork at a time

    def hold() -> None:
        # A child that is terminated before its handlers are its own would run the kernel's.
        masks[threading.get_ident()] = signals.hold()

    def let_go() -> None:
        signals.let_go(masks.pop(threading.get_ident()))

    def give_up() -> None:
        global is_child
        is_child = True
        dispositions.give_up()
        signals.let_go(masks.pop(threading.get_ident()), is_main=True)
        sys.unraisablehook = sys.__unraisablehook__
        for descriptor in descriptors:
            os.close(descriptor)
        descriptors.clear()
        asyncio._set_running_loop(None)
        asyncio.set_event_loop(None)

    os.register_at_fork(before=hold, after_in_parent=let_go, after_in_child=give_up)


def watch_kernel(
    lock: threading.RLock, loop: asyncio.SelectorEventLoop, give_up: Callable[[], None]
) -> None:
    """Let children have neither the kernel's lock nor its loop.

    Args:
        lock: Held during a fork: no other thread of the child could release it.
        loop: The kernel's.
        give_up: Called in a child, with the lock held.
    """

    def give_up_all() -> None:
        _disown(loop)
        give_up()
        lock.release()

    os.register_at_fork(
        before=lock.acquire, after_in_parent=lock.release, after_in_child=give_up_all
    )


def end(failure: BaseException | None, *, is_waiting: bool = False) -> None:
    """End this child: the user's code in it has ended.

    Args:
        failure: How, or `None`.
        is_waiting: It waits, for a loop that is not here.
    """
    status = 0
    if isinstance(failure, SystemExit):
        code = failure.code
        status = code if isinstance(code, int) else int(code is not None)
    elif failure is not None:
        traceback.print_exception(failure)
        status = 1
    elif is_waiting:
        print(
            f"process {os.getpid()}, forked by a coroutine, ends: it cannot await anything, "
            "because it has no event loop. Call os._exit() in it when its work is done, or use "
            "multiprocessing",
            file=sys.stderr,
        )
        status = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # closed, or replaced
    os._exit(status & 0xFF)


def _disown(loop: asyncio.SelectorEventLoop) -> None:
    """Close the loop's descriptors, but not the loop: that would empty the parent's epoll too."""
    loop._selector.close()  # type: ignore[attr-defined]
    for bound in (loop._ssock, loop._csock):  # type: ignore[attr-defined]
        bound.close()
    loop._closed = True  # type: ignore[attr-defined]  # code that uses it gets an error
