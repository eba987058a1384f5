"""`--coverage` in a kernel: which lines of an analysis have run, written when the kernel ends.

A separate module, imported before everything that it measures. A killed kernel writes nothing.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping

from ...protocol.variables import COVERAGE


def begin(environ: Mapping[str, str] = os.environ) -> None:
    """Measure from now on, if the front asks for it.

    Args:
        environ: `COVERAGE` in it names the file beside which this process writes its own.
    """
    file = environ.get(COVERAGE)
    if not file:
        return
    import coverage

    measuring = coverage.Coverage(data_file=file, data_suffix=True)
    measuring.start()

    def end() -> None:
        measuring.stop()
        measuring.save()

    atexit.register(end)
