"""`python -m databench`: the command line."""

from .cli import main

raise SystemExit(main())
