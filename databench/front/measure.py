"""`--coverage FILE`: which lines of the server and of the analyses have run.

The front and every kernel measure themselves (`kernel.measure`), each into a file of its own beside
FILE; at the end they are combined into FILE, with what it held before.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import SettingError

log = logging.getLogger("databench.front")

VARIABLE = "DATABENCH_COVERAGE"  # tells kernels; see kernel/measure.py


@contextlib.contextmanager
def measured(file: str | None) -> Iterator[None]:
    """Measure what runs inside, and in the kernels that it starts.

    Args:
        file: Where to; `None`: nothing is measured.

    Raises:
        SettingError: The package coverage is missing, or FILE cannot be written.
    """
    if file is None:
        yield
        return
    try:
        import coverage
    except ImportError:
        raise SettingError(
            "--coverage needs the package coverage: pip install 'databench[coverage]'",
            name="coverage",
        ) from None
    path = Path(file).absolute()
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise SettingError(f"--coverage {file}: no file can be written there", name="coverage")
    own = coverage.Coverage(data_file=str(path), data_suffix=True)
    os.environ[VARIABLE] = str(path)
    own.start()
    try:
        yield
    finally:
        own.stop()
        own.save()
        del os.environ[VARIABLE]
        combined = coverage.Coverage(data_file=str(path))
        combined.load()
        combined.combine()
        combined.save()
        log.info("coverage: written to %s", path)
