"""The variables by which the front starts a kernel (docs/protocol.md, 2)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import MutableMapping

from ...errors import KernelError
from ...settings import Settings, override


@dataclasses.dataclass(frozen=True)
class ScriptToRun:
    """The script to run, if the analysis is one.

    Attributes:
        file: Its path, absolute; `None`: the module is imported by its name.
        class_name: The class' `__qualname__`; `None`: the only one in the file.
        argv: The script's `sys.argv`.
        path: The folders to import from, before all others.
    """

    file: str | None
    class_name: str | None
    argv: list[str]
    path: list[str]


@dataclasses.dataclass(frozen=True)
class Environment:
    """The kernel's part of the environment.

    Attributes:
        endpoint: Where the front's socket is bound.
        kernel: The routing id: kernel id and generation.
        token: The one-time token for `hello`.
        analysis: The analysis' name.
        module: The dotted name of the module to import.
        folder: The absolute path of the analysis' folder.
        log_level: A name that `logging` knows.
        interrupt_fd: The read end of the interrupt pipe, or `None`.
        settings: The settings in force.
        script: Set if the analysis is one script.
    """

    endpoint: str
    kernel: str
    token: str
    analysis: str
    module: str
    folder: str
    log_level: str
    interrupt_fd: int | None
    settings: Settings
    script: ScriptToRun | None = None


def read_environment(environ: MutableMapping[str, str]) -> Environment:
    """Read the variables, and remove the token from them.

    Raises:
        KernelError: One is missing or cannot be used.
    """
    try:
        interrupt_fd = environ.get("DATABENCH_INTERRUPT_FD")
        return Environment(
            endpoint=environ["DATABENCH_ENDPOINT"],
            kernel=environ["DATABENCH_KERNEL"],
            token=environ.pop("DATABENCH_TOKEN"),
            analysis=environ["DATABENCH_ANALYSIS"],
            module=environ["DATABENCH_MODULE"],
            folder=environ["DATABENCH_FOLDER"],
            log_level=environ.get("DATABENCH_LOG", "INFO").upper(),
            interrupt_fd=int(interrupt_fd) if interrupt_fd else None,
            settings=override(Settings(), json.loads(environ.get("DATABENCH_SETTINGS") or "{}")),
            script=_read_script(environ.get("DATABENCH_SCRIPT")),
        )
    except KeyError as error:
        raise KernelError(
            f"{error.args[0]} is not set: a kernel is started by the front, not by hand"
        ) from None
    except (ValueError, TypeError) as error:
        raise KernelError(f"the environment of the kernel cannot be used: {error}") from None


def _read_script(text: str | None) -> ScriptToRun | None:
    return ScriptToRun(**json.loads(text)) if text else None
