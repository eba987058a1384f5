"""The version of Databench: the one place that states it.

The package, the wheel and `databench --version` all read this name.
"""

__version__ = "1.0.0.dev0"
