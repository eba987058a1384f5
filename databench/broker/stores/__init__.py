"""The stores, which keep state, and the tables that the loop works on."""

from .base import Contents, Store
from .memory import MemoryStore
from .sqlite import SqliteStore

__all__ = ["Contents", "MemoryStore", "SqliteStore", "Store"]
