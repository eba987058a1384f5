"""The names that kernel files of 0.7 import: those of `databench`, and `singlethread`."""

from databench import Analysis, Datastore, on, on_action
from databench._version import __version__

from . import singlethread

__all__ = ["Analysis", "Datastore", "__version__", "on", "on_action", "singlethread"]
