"""What the front tells a kernel through its environment (docs/protocol.md, 2)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import MutableMapping

from ..errors import KernelError
from ..settings import Settings


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
            settings=Settings(json.loads(environ.get("DATABENCH_SETTINGS") or "{}")),
        )
    except KeyError as error:
        raise KernelError(
            f"{error.args[0]} is not set: a kernel is started by the front, not by hand"
        ) from None
    except ValueError as error:
        raise KernelError(f"the environment of the kernel cannot be used: {error}") from None
