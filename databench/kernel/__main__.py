"""`python -m databench.kernel`: see `runtime`."""

from .runtime import main

raise SystemExit(main())
