"""`python -m databench`: the command line."""

from .standard import OwnFirst

with OwnFirst():
    from .cli import main

raise SystemExit(main())
