"""How much memory this machine has for the front: the system's, or its control group's.

Reads `/proc` and `/sys` (proc(5), cgroups(7)); without them, it assumes a small machine.
"""

from __future__ import annotations

import re
from pathlib import Path

PART = 0.5  # of the memory: kernels are there too
UNKNOWN_BYTES = 2 * 2**30
_TOTAL = re.compile(r"^MemTotal:\s+(\d+) kB$", re.MULTILINE)


def find_budget(root: Path = Path("/")) -> int:
    """Half of what the machine has, or of the control group's limit if that is less.

    Args:
        root: Where `/proc` and `/sys` are.
    """
    found = _TOTAL.search(_read(root / "proc/meminfo"))
    sizes = [int(found[1]) * 1024] if found else []
    return int(PART * min([*sizes, *_find_limits(root)], default=UNKNOWN_BYTES))


def _find_limits(root: Path) -> list[int]:
    """The limits of the own control group and of those around it, of version 2 and 1."""
    limits = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2) if line.count(":") > 1 else ("", "?", "")
        if not controllers:
            top, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        # In a container the path may be one of the host: what is mounted is the group itself.
        for count in range(len(parts) + 1):
            text = _read(top.joinpath(*parts[:count], name)).strip()
            if text.isdecimal():  # else "max"
                limits.append(int(text))
    return limits


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
