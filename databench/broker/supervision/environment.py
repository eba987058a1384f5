"""The environment of a kernel's process (docs/protocol.md, 2)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from ...settings import Settings
from ..specs import AnalysisSpec

# The variables of OpenMP, OpenBLAS, MKL, BLIS, Accelerate, numexpr, numba, polars and Julia.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "JULIA_NUM_THREADS",
)

# Only the front may know these.
_OURS = ("DATABENCH_ADMIN_TOKEN",)


def _limit_threads(count: int) -> dict[str, str]:
    """Of libraries that the environment of the server does not set."""
    return {name: str(count) for name in _THREADS if count and not os.environ.get(name)}


def compose(
    spec: AnalysisSpec,
    settings: Settings,
    *,
    mark: str,
    endpoint: str,
    routing_id: bytes,
    token: str,
    log_level: str,
) -> Mapping[str, str]:
    """The whole environment of one generation.

    Args:
        spec: The analysis.
        settings: The limits, which the kernel keeps too.
        mark: `NAME=value`, by which the guard knows what belongs to this front.
        endpoint: Where the front is bound.
        routing_id: The kernel's name there.
        token: The one that it sends in `hello`.
        log_level: For its own logging.
    """
    mark_name, mark_value = mark.split("=", 1)
    return {
        **{name: value for name, value in os.environ.items() if name not in _OURS},
        **_limit_threads(settings.kernel_threads),
        "MPLBACKEND": "agg",
        "PYTHONUNBUFFERED": "1",
        # Files and streams are UTF-8 in any locale (PEP 540), unless the server has it set.
        "PYTHONUTF8": os.environ.get("PYTHONUTF8") or "1",
        mark_name: mark_value,
        "DATABENCH_ENDPOINT": endpoint,
        "DATABENCH_KERNEL": routing_id.decode(),
        "DATABENCH_TOKEN": token,
        "DATABENCH_ANALYSIS": spec.name,
        "DATABENCH_MODULE": spec.module,
        "DATABENCH_FOLDER": str(spec.folder),
        "DATABENCH_LOG": log_level,
        "DATABENCH_SETTINGS": json.dumps(dict(settings.values)),
        # Always set: a front that was started by a kernel inherits that kernel's.
        "DATABENCH_SCRIPT": spec.script.to_json() if spec.script else "",
    }
