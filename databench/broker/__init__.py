"""Carries out what `protocol` decides: sessions, kernels, their processes and the socket between.

The front uses `Broker`, describes its analyses with `AnalysisSpec`, and gives it pages that
follow `Page`. No other module sees a ZeroMQ socket, starts a process or sends a signal.
"""

from .broker import Broker
from .specs import AnalysisSpec, Page, Script
from .stores import SqliteStore, Store

__all__ = ["AnalysisSpec", "Broker", "Page", "Script", "SqliteStore", "Store"]
