"""What administrators see of kernels, and what they may ask of them.

Owns the words for both; kernels, sessions and requests belong to other modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .records import KernelRecord
from .sessions.requests import Requests
from .supervision.supervisor import Supervisor
from .supervision.usage import Sampler, Usage
from .tables import Tables

_BY_PERSON = "from the kernel page"
COMMANDS = ("interrupt", "restart", "stop")


def outline(kernel: Supervisor) -> dict[str, Any]:
    """A kernel in a few words, for `/status`."""
    return {
        "analysis": kernel.spec.name,
        "state": kernel.life.state.value,
        "generation": kernel.life.generation,
        "pid": kernel.pid,
        "deaths": kernel.deaths,
        "reason": kernel.reason,
    }


class Overview:
    """Describes kernels, and carries out what an administrator asks of one.

    Args:
        tables: The broker's.
        requests: Interrupts what runs.
    """

    def __init__(self, tables: Tables, requests: Requests) -> None:
        self._tables = tables
        self._requests = requests
        self._sampler = Sampler()

    def describe(self) -> list[dict[str, Any]]:
        """Each kernel with its sessions, what it runs, what it uses and how it ended before."""
        records = self._tables.records
        pids = {record.kernel.pid for record in records if record.kernel.pid is not None}
        usages = self._sampler.sample(pids) if pids else {}
        now_s = self._tables.loop.time()
        return [describe(record, usages, now_s) for record in records]

    def command(self, id_: str, command: str) -> str:
        """Interrupt, restart or stop a kernel.

        Args:
            id_: As `describe` gives it: a kernel that has ended meanwhile is left alone.
            command: One of `COMMANDS`.

        Returns:
            Why nothing was done; empty when something was.
        """
        records = self._tables.records
        found = [record for record in records if record.kernel.id_ == id_]
        if command not in COMMANDS:
            return f"command {command!r:.60}, expected one of {', '.join(COMMANDS)}; nothing done"
        if self._tables.is_draining:
            return f"{command}: the server stops; nothing done"
        if not found:
            return f"{command}: that kernel has already ended; nothing done"
        return self._carry_out(found[0], command)

    def _carry_out(self, record: KernelRecord, command: str) -> str:
        kernel = record.kernel
        if kernel.life.is_without_process:
            name, state = kernel.spec.name, kernel.life.state.value
            return f"{command}: kernel {name!r} is {state}, without a process; nothing done"
        if command == "restart":
            kernel.restart(f"restarted {_BY_PERSON}")
        elif command == "stop":
            kernel.halt(f"stopped {_BY_PERSON}")
        elif not kernel.can_interrupt:
            return f"kernel {kernel.spec.name!r} cannot be interrupted; restart it instead"
        elif record.open_requests == 0:
            return f"kernel {kernel.spec.name!r} runs no action; nothing to interrupt"
        else:
            for hosted in record.sessions.values():
                self._requests.interrupt(hosted)
        return ""


def describe(record: KernelRecord, usages: Mapping[int, Usage], now_s: float) -> dict[str, Any]:
    """One kernel, as JSON.

    Args:
        record: Its analysis.
        usages: What process groups use.
        now_s: The loop's time.
    """
    kernel = record.kernel
    age_s = None if kernel.pid is None else round(now_s - record.began_s, 1)
    return {
        "kernel": kernel.id_,
        **outline(kernel),
        "state": _find_state(record),
        "retry_in_s": kernel.retry_in_s,
        "age_s": age_s,
        **_describe_usage(None if kernel.pid is None else usages.get(kernel.pid), age_s),
        "sessions": len(record.sessions),
        "pages": sum(len(hosted.session.views) for hosted in record.sessions.values()),
        "can_interrupt": kernel.can_interrupt,
        "running": _describe_running(record, now_s),
        "restarts": [
            {
                "ago_s": round(now_s - loss.at_s, 1),
                "generation": loss.generation,
                "reason": loss.reason,
                "stderr": list(loss.stderr),
            }
            for loss in reversed(record.losses)
        ],
        "stderr": kernel.stderr_lines,
        "mistakes": record.mistakes,
        "mistake": record.mistake,
    }


def _find_state(record: KernelRecord) -> str:
    life = record.kernel.life
    if life.is_halted:
        return "stopped"
    if life.is_live and any(hosted.is_cancelling for hosted in record.sessions.values()):
        return "cancelling"
    return life.state.value


def _describe_usage(usage: Usage | None, age_s: float | None) -> dict[str, Any]:
    if usage is None:
        return {"memory_bytes": None, "processor_percent": None, "processes": None}
    percent = usage.percent
    if percent is None:  # of its whole life, if no sample was taken just before
        percent = 100 * usage.processor_s / max(age_s or 0.0, 1.0)
    return {
        "memory_bytes": usage.memory_bytes,
        "processor_percent": round(percent, 1),
        "processes": usage.processes,
    }


def _describe_running(record: KernelRecord, now_s: float) -> list[dict[str, Any]]:
    """The open requests, the longest first; numbers stand for sessions, not their ids.

    Any visitor who knows a session's id may join it.
    """
    open_ = [
        {
            "action": request.action,
            "session": number,
            "elapsed_s": round(now_s - request.accepted_s, 1),
            "is_waiting": not request.is_sent,
            "cancels": request.cancels,
        }
        for number, hosted in enumerate(record.sessions.values(), 1)
        for request in hosted.session.requests.values()
    ]
    return sorted(open_, key=lambda told: -float(told["elapsed_s"]))
