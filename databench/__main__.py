"""`python -m databench`: the command line."""

import os
import sys

# Python puts the working directory before its own modules, where a project may have a `random.py`.
# The command `databench` finds no module there either: a project's folders come when they are used.
if sys.path and sys.path[0] in ("", os.getcwd() if os.path.exists(".") else None):
    del sys.path[0]

from .standard import OwnFirst

with OwnFirst():
    from .cli import main

raise SystemExit(main())
