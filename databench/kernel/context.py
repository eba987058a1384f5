"""The common parts of the sessions of one kernel.

Owns nothing: the runtime makes the parts, and hands them to every session in one piece. So a
session knows each part that it uses, and none of them knows a session.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..analysis import Analysis
from ..protocol.actions import Declared
from ..settings import Settings
from .channel import KernelChannel
from .class_data import ClassDataCopy
from .interrupts import Interrupts
from .loop import KernelLoop
from .request import OpenRequests
from .steps import LoopWorker
from .workers import WorkerPool


@dataclass(slots=True)
class Context:
    """The parts of a kernel that sessions use.

    Attributes:
        analysis_class: The user's class.
        handlers: Its handlers by action, as `find_handlers` gives them.
        declared: The actions that pages may ask for.
        has_own_making: Whether making an instance runs code of the user's.
        settings: The kernel's.
        logger: The analysis' own.
        channel: The socket.
        loop: The loop, which runs in a side thread.
        loop_worker: That thread, for coroutines.
        workers: The threads of plain actions.
        requests: The open ones of all sessions.
        interrupts: Carries cancels out.
        class_data: This kernel's copy of the shared values.
        window_bytes: The credit that a session begins with, from the front's welcome.
        is_debug: Whether tracebacks go to pages; likewise.
        cli_args: The words after Databench's own options on the command line; likewise.
    """

    analysis_class: type[Analysis]
    handlers: Mapping[str, tuple[str, ...]]
    declared: Declared
    has_own_making: bool
    settings: Settings
    logger: logging.Logger
    channel: KernelChannel
    loop: KernelLoop
    loop_worker: LoopWorker
    workers: WorkerPool
    requests: OpenRequests
    interrupts: Interrupts
    class_data: ClassDataCopy
    window_bytes: int = 0
    is_debug: bool = False
    cli_args: Sequence[str] = ()
