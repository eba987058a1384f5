"""The names of a project's files."""

from __future__ import annotations

INDEX_FILE = "index.yaml"
MODULE_FILE = "analysis.py"
ROUTES_FILE = "routes.py"
# Folders whose files are not an author's own, however the project is read.
OTHERS_FOLDERS = frozenset({"node_modules", "__pycache__"})
