"""The broker's input: which analyses exist, and what it may ask of a page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from ..protocol.placement import Sharing


@dataclass(frozen=True)
class Script:
    """The script that the Python kernel runs, if an analysis is one.

    Attributes:
        file: The file, absolute; `None`: the module is imported by its name.
        class_name: The class' `__qualname__`; `None`: the only one in the file.
        argv: `sys.argv` of the kernel.
        path: The folders to import from, before all others.
    """

    file: Path | None
    class_name: str | None
    argv: tuple[str, ...]
    path: tuple[str, ...]

    def to_json(self) -> str:
        """As the kernel's environment has it."""
        file = None if self.file is None else str(self.file)
        return json.dumps({**asdict(self), "file": file})


# The keys of these settings for an analysis in index.yaml; the others have one name.
_OWN_NAMES = {"kernel_memory_bytes": "memory_limit", "kernel_processor_s": "processor_limit_s"}


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
        sharing: Which sessions share a process.
        limits: Values for its kernels instead of settings of these names.
        restarts_at_once: Whether new code restarts its kernels whatever they do.
        script: Set if the analysis is one script; `folder` is then the one of its page.
    """

    name: str
    folder: Path
    module: str
    root: Path
    kernel: str = "py"
    version: str | None = None
    sharing: Sharing = field(default_factory=Sharing)
    limits: Mapping[str, float] = field(default_factory=dict)
    script: Script | None = None
    # What the kernel runs is the same either way.
    restarts_at_once: bool = field(default=False, compare=False)

    def name_limit(self, setting: str) -> str:
        """Where the limit in force was set: the setting, or the analysis' key for it."""
        return _OWN_NAMES.get(setting, setting) if setting in self.limits else setting


class Page(Protocol):
    """One page's connection, as the broker sees it.

    Attributes:
        visitor: A word that all pages of one visitor's browser share; empty if it is not known.
        is_linked: Whether a link led it to the session that it asks for, or to one that has ended.
        address: The visitor's address, as the proxy forwards it if `--xheaders` is given.
        may_administer: Whether it may see tracebacks, and end what other sessions use.
    """

    visitor: str
    address: str
    is_linked: bool
    may_administer: bool

    def write(self, frames: Sequence[bytes]) -> bool:
        """Write text frames, in order, at once; a closed page ignores it.

        Returns:
            Whether all that was ever written has left the process. If not, the page calls
            `Broker.delivered` when it has; a closed page never does.
        """

    def close(self, code: int, reason: str) -> None:
        """Close the connection."""
