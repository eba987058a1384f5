"""Which actions are run again after their kernel was lost (docs/protocol.md, 7.2). Pure.

Theory of operation: a kernel names the actions that may run twice. When its process dies, each
request that it had is judged by itself: it is run again by the next process, or it ends as lost.
To run once too often does harm, to end as lost does not: whatever speaks against a second run
decides. So nothing is ever run a third time, and an action that ends each of its processes ends
two of them.

A cancel counts from the moment at which the front gets it, with any outcome: the kernel may
have died just before it could end the action.
"""

from __future__ import annotations

from collections.abc import Collection

from .lifecycle import State
from .records import OpenRequest

# After these ends of a process the next one begins by itself. A kernel in any other state waits for
# a visitor, who may as well press the action's button.
_FOLLOWED = frozenset({State.STARTING, State.BACKOFF})
_NAMES = 3  # actions that a note names; the others are counted
_NAME_CHARACTERS = 60


def may_go_on(state: State, *, was_asked: bool, is_set_aside: bool, is_draining: bool) -> bool:
    """Whether the next process may be given what a session had begun in the one that died.

    Args:
        state: What the kernel is in now, after the end of its process.
        was_asked: Whether a visitor, or new code, ended the process: all that ran had to end.
        is_set_aside: Whether no process is given the session.
        is_draining: Whether the server ends: nothing new begins.
    """
    return state in _FOLLOWED and not (was_asked or is_set_aside or is_draining)


def may_rerun(request: OpenRequest, *, is_suspect: bool) -> bool:
    """Whether a request that a process took with it may run once more, if its session continues.

    Args:
        request: It.
        is_suspect: Whether the action with its arguments is suspected of ending kernels: it would
            end the next one too, and with it what others run.
    """
    is_first = request.is_idempotent and not request.is_rerun
    return is_first and not request.is_cancelled and not is_suspect


def compose_note(actions: Collection[str]) -> str:
    """Which actions are run again, for people.

    Args:
        actions: Their names, each as often as it was lost; one at least.
    """
    names = list(dict.fromkeys(actions))
    shown = [f"{name!r:.{_NAME_CHARACTERS}}" for name in names[:_NAMES]]
    if more := len(names) - len(shown):
        shown.append(f"{more} more")
    listed = " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
    return f"{listed} {'is' if len(names) == 1 else 'are'} run again"
