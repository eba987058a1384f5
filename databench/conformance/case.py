"""What a case of the conformance suite is, and the two ways in which one ends early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

# A function that tries a rule on a `bench.Bench`.
Run = Callable[[Any], None]


class ConformanceError(Exception):
    """The kernel breaks a rule; the text says which, in words for its author."""


class StartError(ConformanceError):
    """The kernel has not come as far as `hello`: no further case can run."""


class MissingPartError(Exception):
    """The kernel leaves out an optional part; the text names it."""


@dataclass(frozen=True)
class Case:
    """One rule and how it is tried.

    Attributes:
        name: To select it with `--only`, for example `state-restore`.
        topic: The group that it is shown in; `--only` takes it too.
        title: The rule, to be read after "the kernel".
        section: Of docs/protocol.md.
        run: Tries it; raises `ConformanceError` or `MissingPartError`.
        capability: The word in `hello` without which the case is left out.
        optional: Actions of the conformance analysis without which the case is left out.
    """

    name: str
    topic: str
    title: str
    section: str
    run: Run
    capability: str = ""
    optional: tuple[str, ...] = ()


@dataclass
class Result:
    """How a case ended.

    Attributes:
        case: The case.
        outcome: `passed`, `failed` or `skipped`.
        text: Why it failed or was skipped; empty if it passed.
        frames: The messages that were exchanged, one line each.
        output: The last lines that the kernel printed.
        time_s: How long it took.
    """

    case: Case
    outcome: str
    text: str = ""
    frames: Sequence[str] = ()
    output: Sequence[str] = ()
    time_s: float = 0.0


@dataclass
class Topic:
    """Cases of one topic, in the order in which an author makes them pass."""

    name: str
    cases: list[Case] = field(default_factory=list)

    def case(
        self,
        name: str,
        title: str,
        section: str,
        *,
        capability: str = "",
        optional: tuple[str, ...] = (),
    ) -> Callable[[Run], Run]:
        """Add a function as a case; see `Case` for the arguments."""

        def add(run: Run) -> Run:
            self.cases.append(Case(name, self.name, title, section, run, capability, optional))
            return run

        return add
