"""What the kernel does on a signal, whatever user code makes of it.

Cancel needs SIGINT, and the end SIGTERM. Libraries take both for themselves: `asyncio.run`, pools,
trainers that end gracefully, programs that were written for a terminal.

Theory of operation: it replaces `signal.signal` and `signal.getsignal`, because only the main
thread can set a Python handler, and a signal may come while that thread computes. For these two
signals, the replacements only note what user code wants and answer as Python would. Handlers that
are noted when the module has been imported are the user's own wish and are called too; what an
action leaves behind is forgotten with it. C libraries set theirs past Python: `put_right` sees that
in the system's table. It also ends what would hit the next action: an alarm, a blocked or ignored
signal, a descriptor to write to. Handlers of other signals stay; their exceptions reach only user
code.
"""

from __future__ import annotations

# What `signal` wraps: its enumerations cost more than all that is done here.
import _signal  # type: ignore[import-not-found]
import ctypes
import faulthandler
import functools
import logging
import signal
import threading
from collections.abc import Callable
from typing import Any

logger = logging.getLogger("databench.kernel")

Handler = Callable[[int, Any], Any] | int | None

OURS = (int(signal.SIGINT), int(signal.SIGTERM))
_SIGCHLD, _SIGPIPE = int(signal.SIGCHLD), int(signal.SIGPIPE)
_SIG_DFL, _SIG_IGN = int(signal.SIG_DFL), int(signal.SIG_IGN)
_SIG_BLOCK, _SIG_SETMASK = int(signal.SIG_BLOCK), int(signal.SIG_SETMASK)
_ITIMER_REAL = int(signal.ITIMER_REAL)
_get_in_c = ctypes.pythonapi.PyOS_getsig
_get_in_c.argtypes, _get_in_c.restype = (ctypes.c_int,), ctypes.c_void_p
_set_in_c = ctypes.pythonapi.PyOS_setsig
_set_in_c.argtypes, _set_in_c.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p


class Dispositions:
    """Owns SIGINT and SIGTERM of this process; made and used in the main thread, but for `arm`.

    Attributes:
        is_user_code: Whether the main thread runs user code, which may get an exception.
    """

    def __init__(self) -> None:
        self.is_user_code: Callable[[], bool] = _always
        self._set, self._get = signal.signal, signal.getsignal
        # The real handler, and the one that user code sees.
        self._own: dict[int, Handler] = {n: _signal.getsignal(n) for n in OURS}
        self._users: dict[int, Handler] = {OURS[0]: _signal.default_int_handler, OURS[1]: _SIG_DFL}
        self._in_c: int | None = None  # Python's own handler, as the system's table has it
        self.keep()

    def install(self) -> None:
        """Stand between user code and the two signals from now on; SIGINT does nothing yet."""

        @functools.wraps(self._set)
        def set_(signalnum: int, handler: Any) -> Any:
            return self._on_set(signalnum, handler)

        @functools.wraps(self._get)
        def get(signalnum: int) -> Any:
            return self._on_get(signalnum)

        signal.signal, signal.getsignal = set_, get
        self.take(OURS[0], _nothing)  # not SIG_IGN: children would inherit that

    def take(self, number: int, handler: Callable[[int, Any], None]) -> None:
        """Handle one of the two signals."""
        self._own[number] = handler
        _signal.signal(number, handler)
        self._in_c = _get_in_c(number)

    def keep(self) -> None:
        """User code meant the handlers that it has set by now: they hold between actions too."""
        self._kept = dict(self._users)
        self._child, self._pipe = (_signal.getsignal(n) for n in (_SIGCHLD, _SIGPIPE))
        self._mask = _signal.pthread_sigmask(_SIG_BLOCK, ())
        self._wakeup_fd = _signal.set_wakeup_fd(-1)
        self._wake()
        self._has_timer = _signal.getitimer(_ITIMER_REAL) != (0.0, 0.0)

    def look_again(self) -> None:
        """Undo what Python knows of by itself, which costs next to nothing; before each action."""
        if self._users != self._kept:
            self._users = dict(self._kept)
        for number, own in self._own.items():
            if _signal.getsignal(number) is not own:
                _signal.signal(number, own)

    def put_right(self) -> None:
        """Undo whatever an action has left behind; in the main thread, after each."""
        self.look_again()
        for number, own in self._own.items():
            if callable(own) and _get_in_c(number) != self._in_c:
                _signal.signal(number, own)
        if _signal.getsignal(_SIGCHLD) == _SIG_IGN != self._child:
            _signal.signal(_SIGCHLD, self._child)  # children would lose their exit status
        if _signal.getsignal(_SIGPIPE) == _SIG_DFL != self._pipe:
            _signal.signal(_SIGPIPE, self._pipe)  # a closed connection would end the kernel
        if _signal.pthread_sigmask(_SIG_BLOCK, ()) != self._mask:
            _signal.pthread_sigmask(_SIG_SETMASK, self._mask)
        if _signal.set_wakeup_fd(-1) != -1 or self._wakeup_fd != -1:
            self._wake()
        if not self._has_timer and _signal.getitimer(_ITIMER_REAL)[0]:
            _signal.setitimer(_ITIMER_REAL, 0)
        if not faulthandler.is_enabled():
            faulthandler.enable(all_threads=False)

    def arm(self) -> None:
        """Let SIGINT reach Python, though a library in C has taken it; from any thread."""
        if self._in_c is not None and _get_in_c(OURS[0]) != self._in_c:
            _set_in_c(OURS[0], self._in_c)

    def call_kept(self, number: int, frame: Any) -> None:
        """Call the user's own handler too, if it was set when the module was imported."""
        handler = self._kept[number]
        if callable(handler) and handler is not _signal.default_int_handler:
            try:
                handler(number, frame)
            except (KeyboardInterrupt, SystemExit):
                pass  # the signal has its effect here without it
            except Exception:
                logger.exception("the handler of %s failed", signal.Signals(number).name)

    def call_current(self, number: int, frame: Any) -> None:
        """The handler that user code has now: the signal came neither from us nor for us."""
        handler = self._users[number]
        if callable(handler) and handler is not _signal.default_int_handler:
            _Guarded(handler, self)(number, frame)

    def give_up(self) -> None:
        """This process is a fork: its signals are what user code made of them."""
        self.is_user_code = _always
        signal.signal, signal.getsignal = self._set, self._get
        _signal.set_wakeup_fd(-1)
        for number, handler in self._users.items():
            _signal.signal(number, _SIG_DFL if handler is None else handler)

    def _wake(self) -> None:
        try:
            if self._wakeup_fd != -1:
                _signal.set_wakeup_fd(self._wakeup_fd, warn_on_full_buffer=False)
        except (OSError, ValueError):
            self._wakeup_fd = -1  # the listener has gone

    def _on_set(self, signalnum: int, handler: Any) -> Any:
        is_main = threading.get_ident() == threading.main_thread().ident
        if signalnum not in OURS or not is_main or not _is_handler(handler):
            if callable(handler):
                handler = _Guarded(handler, self)
            return _unwrap(self._set(signalnum, handler))  # raises with the right message, too
        before = self._on_get(signalnum)
        self._users[int(signalnum)] = handler
        return before

    def _on_get(self, signalnum: int) -> Any:
        if signalnum not in OURS:
            return _unwrap(self._get(signalnum))
        handler = self._users[int(signalnum)]
        return signal.Handlers(handler) if handler in (_SIG_DFL, _SIG_IGN) else handler


class _Guarded:
    """A handler of user code; if it interrupts other code, its exceptions are logged."""

    def __init__(self, handler: Callable[[int, Any], Any], owner: Dispositions) -> None:
        self.handler = handler
        self._owner = owner

    def __call__(self, number: int, frame: Any) -> Any:
        if self._owner.is_user_code():
            return self.handler(number, frame)
        try:
            return self.handler(number, frame)
        except BaseException:  # an alarm that outlived its action must not end the kernel
            logger.exception("the handler of %s failed", signal.Signals(number).name)


def _unwrap(handler: Any) -> Any:
    return handler.handler if isinstance(handler, _Guarded) else handler


def _is_handler(handler: Any) -> bool:
    return callable(handler) or handler in (_SIG_DFL, _SIG_IGN)


def _always() -> bool:
    return True


def _nothing(_number: int, _frame: Any) -> None:
    pass
