"""`python -m databench.kernel`: see `runtime`."""

from . import measure

measure.begin()  # before all that is measured is imported

from .runtime import main  # noqa: E402

raise SystemExit(main())
