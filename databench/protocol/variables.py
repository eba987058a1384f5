"""The variables and the pipe of a kernel (docs/protocol.md, 2 and 5.3): one place for both.

Owns the names that more than one part writes and reads, and the layout of a record in the pipe of
interrupts.
"""

from __future__ import annotations

import struct

# The file beside which a kernel writes its own coverage; unset: it measures nothing.
COVERAGE = "DATABENCH_COVERAGE"
# Which process runs the file of its analysis, and that file: `pid:path`; pid 0: it has been run.
LOADING = "DATABENCH_LOADING"
# A request's number and the attempt at cancelling it.
INTERRUPT = struct.Struct("<QQ")
