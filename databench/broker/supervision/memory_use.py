"""The memory that processes keep from others: that the system cannot take back from them.

Resident pages of files do not count: the system drops them when it needs the room, however many of
a large mapped file are there. Pages that processes share, after a fork or on purpose, count once
for a group. Read from `/proc` (proc(5)); if it does not show shares, before Linux 5.4,
shared pages count for each.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_OWN = re.compile(rb"^Rss(?:Anon|Shmem):\s+(\d+) kB$", re.MULTILINE)
_RESIDENT = re.compile(rb"^VmRSS:\s+(\d+) kB$", re.MULTILINE)
_PART = re.compile(rb"^Pss_(?:Anon|Shmem):\s+(\d+) kB$", re.MULTILINE)
_BOTH = 2  # anonymous pages and those of shared memory


def read_held(pid: int, root: Path = Path("/proc")) -> int | None:
    """The memory of one process, in bytes; shared pages count whole. `None`: not known.

    Args:
        pid: The process.
        root: Where the system shows it.
    """
    text = _read(root / str(pid) / "status")
    found = _OWN.findall(text)
    found = found if len(found) == _BOTH else _RESIDENT.findall(text)
    return sum(map(int, found)) * 1024 if found else None


def read_excesses(limits: Mapping[int, int], root: Path = Path("/proc")) -> dict[int, int]:
    """The process groups that hold more than they may, with what they hold in bytes.

    Sharing is measured only if there would be too much without it: that takes the system the
    longer, the more pages there are.

    Args:
        limits: The groups' ids, each with its limit in bytes.
        root: Where the system shows it.
    """
    excesses = {}
    for group, pids in _find_members(limits, root).items():
        held = {pid: read_held(pid, root) or 0 for pid in pids}
        if sum(held.values()) <= limits[group]:
            continue
        shares = (_read_share(pid, root) for pid in pids)
        held_bytes = sum(
            whole if share is None else share
            for whole, share in zip(held.values(), shares, strict=True)
        )
        if held_bytes > limits[group]:
            excesses[group] = held_bytes
    return excesses


def _find_members(groups: Iterable[int], root: Path) -> dict[int, list[int]]:
    """The processes of each group; asking the system for each is faster than reading its file."""
    members: dict[int, list[int]] = {group: [] for group in groups}
    try:
        names = os.listdir(root)
    except OSError:
        return members
    for pid in map(int, filter(str.isdigit, names)):
        try:
            group = os.getpgid(pid)
        except OSError:
            continue  # it ended meanwhile
        if group in members:
            members[group].append(pid)
    return members


def _read_share(pid: int, root: Path) -> int | None:
    """The memory of one process, with its part of shared pages; `None`: not known."""
    found = _PART.findall(_read(root / str(pid) / "smaps_rollup"))
    return sum(map(int, found)) * 1024 if len(found) == _BOTH else None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it ended meanwhile, or is not ours to look at
