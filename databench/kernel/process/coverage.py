"""`--coverage` in a kernel: which lines of an analysis have run, written when the kernel ends.

Its own module, imported before all that is to be measured. A kernel that is killed writes nothing.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping

from ...protocol.variables import COVERAGE


def begin(environ: Mapping[str, str] = os.environ) -> None:
    """Measure from now on, where the front asks for it.

    Args:
        environ: `COVERAGE` in it names the file beside which this process' own is written.
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
