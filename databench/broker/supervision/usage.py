"""The machine's resources that kernels use: memory and processor time of their groups.

Read from `/proc` (proc(5)), all groups in one pass, and at most once a second however often it is
asked for; nothing is read while no page asks. Without `/proc`, nothing is known.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 1.0
_COMPARABLE_S = 10.0  # an older sample shows nothing of what is used now
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of one process, or of a group of them.

    Attributes:
        memory_bytes: Resident; what processes share counts for each.
        processor_s: Time on processors, with that of children that have ended.
        processes: How many they are.
        percent: Of one processor, since the sample before; `None` if there was none.
    """

    memory_bytes: int
    processor_s: float
    processes: int = 1
    percent: float | None = None


def parse_stat(text: str) -> tuple[int, Usage]:
    """The process group and the usage in the text of `/proc/<pid>/stat`.

    Raises:
        ValueError: It is not such text.
    """
    # The name in parentheses may hold anything, parentheses and spaces too.
    fields = text.rpartition(")")[2].split()
    if len(fields) < 22:
        raise ValueError(f"{len(fields)} fields, expected 22 or more")
    ticks = sum(int(field) for field in fields[11:15])
    return int(fields[2]), Usage(int(fields[21]) * _PAGE_BYTES, ticks / _TICKS_PER_S)


def read_resident(pid: int, root: Path = Path("/proc")) -> int | None:
    """The RAM of one process, in bytes; `None` if it is not known."""
    try:
        return int((root / str(pid) / "statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return None


def count_memory_kills(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """How many processes the system has ended to free memory, among those that may be ours.

    The own control group counts its processes alone (cgroups(7)); on a machine that others share,
    in a container say, the count of the whole machine (`/proc/vmstat`) would be theirs too.
    """
    for file in (*_find_group_files(proc, cgroups), proc / "vmstat"):
        try:
            found = re.search(rb"^oom_kill (\d+)$", file.read_bytes(), re.MULTILINE)
        except OSError:
            continue
        if found:
            return int(found.group(1))
    return 0


def _find_group_files(proc: Path, cgroups: Path) -> list[Path]:
    """Where the own control group may show its count, of version 2 and 1."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    files: list[Path] = []
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") > 1):
        if not controllers:
            folder, name = cgroups, "memory.events"
        elif "memory" in controllers.split(","):
            folder, name = cgroups / "memory", "memory.oom_control"
        else:
            continue
        # In a container the path may be the host's, and what is mounted the own group.
        files += [folder / path.strip("/") / name, folder / name]
    return files


def read_groups(groups: Collection[int], root: Path = Path("/proc")) -> dict[int, Usage]:
    """The use of each of these process groups, without those that are gone.

    Args:
        groups: Their ids.
        root: Where the system shows it.
    """
    found: dict[int, Usage] = {}
    try:
        names = os.listdir(root)
    except OSError:
        return found
    for name in filter(str.isdigit, names):
        try:
            group, own = parse_stat((root / name / "stat").read_text(errors="replace"))
        except (OSError, ValueError):
            continue  # it ended meanwhile
        if group in groups:
            sum_ = found.get(group, Usage(0, 0.0, 0))
            found[group] = Usage(
                sum_.memory_bytes + own.memory_bytes,
                sum_.processor_s + own.processor_s,
                sum_.processes + 1,
            )
    return found


def compare(before: Usage, now: Usage, took_s: float) -> Usage:
    """The later of two samples, with its share of a processor.

    Args:
        before: The earlier one.
        now: The later one.
        took_s: The time between them.
    """
    used_s = max(0.0, now.processor_s - before.processor_s)  # a child took its time with it
    return Usage(now.memory_bytes, now.processor_s, now.processes, 100 * used_s / took_s)


class Sampler:
    """Samples what process groups use.

    Args:
        read: Reads them.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        read: Callable[[Collection[int]], Mapping[int, Usage]] = read_groups,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._clock = clock
        self._at_s = float("-inf")
        self._latest: dict[int, Usage] = {}

    def sample(self, groups: Collection[int]) -> Mapping[int, Usage]:
        """The use of these groups, as of the last second."""
        now_s = self._clock()
        took_s = now_s - self._at_s
        if took_s < SAMPLE_S:
            return self._latest
        before = self._latest if took_s < _COMPARABLE_S else {}
        self._at_s = now_s
        self._latest = {
            group: compare(before[group], usage, took_s) if group in before else usage
            for group, usage in self._read(groups).items()
        }
        return self._latest
