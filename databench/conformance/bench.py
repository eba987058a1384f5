"""Where a case finds its kernel: one that the cases share, or one of its own.

Theory of operation: starting a process takes longer than a case, so the shared kernel lives until a
case fails, or ends it. Each case opens sessions of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..protocol import messages as m
from .case import Case, ConformanceError, MissingPartError
from .front import WINDOW_BYTES, PlayedFront
from .target import Target

_QUIET_S = 0.03  # after which a kernel that answers no ping is taken to have nothing more to say


class Bench:
    """The kernels of one run.

    Args:
        target: The kernel.
        limit_s: The longest wait for an answer.
        start_limit_s: The longest wait for `hello`; `None`: the same.
    """

    def __init__(
        self, target: Target, limit_s: float, *, start_limit_s: float | None = None
    ) -> None:
        self.limit_s = limit_s
        self._start_limit_s = limit_s if start_limit_s is None else start_limit_s
        self._target = target
        self._shared: PlayedFront | None = None
        self._own: PlayedFront | None = None
        self._case: Case | None = None
        self._has_pongs = True
        self.hello: m.Hello | None = None

    @property
    def front(self) -> PlayedFront:
        """The shared kernel, with `welcome` sent."""
        if self._shared is None:
            self._shared = self._launch({})
            self.hello = self._shared.greet()
        self._require(self._shared)
        return self._shared

    def start(
        self,
        *,
        window_bytes: int = WINDOW_BYTES,
        cli_args: Sequence[str] = (),
        class_values: Mapping[str, bytes] | None = None,
        is_grown: bool = False,
        greets: bool = True,
    ) -> PlayedFront:
        """A kernel for this case alone; see `PlayedFront` for the arguments.

        Args:
            window_bytes: Credit of each session.
            cli_args: For `welcome`.
            class_values: Values of `class_data`.
            is_grown: Whether headers have further fields.
            greets: Whether to wait for `hello` and to answer it.
        """
        assert self._own is None, "a case starts one kernel"
        options = {
            "window_bytes": window_bytes,
            "cli_args": cli_args,
            "class_values": class_values,
            "is_grown": is_grown,
        }
        self._own = self._launch(options)
        if greets:
            self.hello = self._own.greet()
            self._require(self._own)
        return self._own

    def _launch(self, options: dict[str, Any]) -> PlayedFront:
        return PlayedFront(
            self._target, limit_s=self.limit_s, start_limit_s=self._start_limit_s, **options
        )

    def _require(self, front: PlayedFront) -> None:
        case = self._case
        assert case is not None, "outside of a case"
        if case.capability and not front.has(case.capability):
            raise MissingPartError(f"hello does not name the capability {case.capability}")
        declared = front.ledger.actions
        for name in case.optional:
            if declared is not None and name not in declared.names:
                raise MissingPartError(f"the kernel has no action '{name}'")

    # -- around a case

    def begin(self, case: Case) -> None:
        """A case begins."""
        self._case = case
        if self._shared is not None:
            self._shared.trace.clear()

    def settle(self) -> None:
        """See that the kernel of the case has made no mistake.

        Raises:
            ConformanceError: It has.
        """
        front = self._own or self._shared
        if front is None:
            return
        if self._own is None:
            self._read_all(front)
        if front.ledger.mistakes:
            raise ConformanceError("; ".join(front.ledger.mistakes))

    def _read_all(self, front: PlayedFront) -> None:
        """Read all that the kernel had to say until now."""
        _check_runs(front)
        if front.has("ping") and self._has_pongs:
            front.send(m.Ping(number=1))
            try:
                front.expect(m.Pong, "pong")
            except ConformanceError:
                self._has_pongs = False  # the case `ping` fails, and no other waits for one
        front.rest(_QUIET_S)
        _check_runs(front)

    def find_evidence(self) -> tuple[list[str], list[str]]:
        """The frames and the output of the kernel of the case."""
        front = self._own or self._shared
        return ([], []) if front is None else (list(front.trace), list(front.process.lines))

    def finish(self, *, failed: bool) -> None:
        """The case has ended; after a failure the next one gets a new kernel."""
        if self._own is not None:
            self._own.close()
            self._own = None
        elif failed:
            self.close()
        elif self._shared is not None:
            for session in list(self._shared.ledger.credits):
                self._shared.close_session(session)
            self._shared.rest(0)

    def close(self) -> None:
        """End the kernels."""
        for front in (self._own, self._shared):
            if front is not None:
                front.close()
        self._own = self._shared = None


def _check_runs(front: PlayedFront) -> None:
    if front.process.status is not None:
        raise ConformanceError(f"the process {front.describe_end()} during this case")
