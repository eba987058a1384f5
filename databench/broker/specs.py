"""What the broker is told: which analyses there are, and what it may ask of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class AnalysisSpec:
    """One analysis, as far as its kernel is concerned.

    Attributes:
        name: As in the page's address.
        folder: Its folder, absolute.
        module: The dotted module that the Python kernel imports.
        root: The project's folder: working directory of the kernel, and on its path.
        kernel: The kernel spec's name.
        version: The analysis' own version, or `None`.
    """

    name: str
    folder: Path
    module: str
    root: Path
    kernel: str = "py"
    version: str | None = None


class Page(Protocol):
    """One page's connection, as the broker sees it."""

    def write(self, frames: Sequence[bytes]) -> bool:
        """Write text frames, in order, at once; a closed page ignores it.

        Returns:
            Whether all that was ever written has left the process. If not, the page calls
            `Broker.drained` when it has; a closed page never does.
        """

    def close(self, code: int, reason: str) -> None:
        """Close the connection."""
