"""An event loop whose clock jumps to the next timer, and lives that can be ended in an instant.

Everything that is simulated (the front, each kernel, the pages) runs on one such loop. Handles of
asyncio carry the context in which they were made, so each belongs to a process. A killed process
loses all of them at once, and no line of it runs any more, as after SIGKILL.
"""

import asyncio
import contextvars

from databench.kernel.loop import KernelLoop

OWNER = contextvars.ContextVar("simulation_owner", default=None)


class Life:
    """A process that can be killed.

    Attributes:
        context: In which all that he does runs.
        is_over: Whether he was.
    """

    def __init__(self):
        self.context = contextvars.copy_context()
        self.context.run(OWNER.set, self)
        self.is_over = False


class Loop(KernelLoop):
    """The loop of one simulated world; the kernel's, since kernels run on it too."""

    def __init__(self):
        asyncio.BaseEventLoop.__init__(self)
        self._selector = self
        self._now_s = 100.0
        self.failure = None
        self.set_exception_handler(self._note_failure)

    def time(self):
        return self._now_s

    def select(self, timeout):
        """Nothing comes from outside: sleep until the next timer, which takes no time."""
        assert timeout is not None, "nothing is left to do, and somebody waits"
        if timeout > 0:
            self._now_s = max(self._now_s, self._scheduled[0].when())
        return ()

    def end(self, life):
        """Kill: what this life had planned never happens."""
        life.is_over = True
        for handle in [*self._scheduled, *self._ready]:
            if handle._context is not None and handle._context.get(OWNER) is life:
                handle.cancel()

    def close(self):
        self._ready.clear()
        self._scheduled.clear()
        asyncio.BaseEventLoop.close(self)

    def _note_failure(self, _loop, context):
        if "exception" not in context:
            return  # the task of a dead kernel is collected
        self.failure = self.failure or context["exception"]
        self.stop()

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass

    def add_reader(self, fd, callback, *args):
        pass

    def remove_reader(self, fd):
        return False
