"""Folders inside installed Python packages, for files that those bring for the browser.

Written `package:mpld3/js`. The package is looked up and never imported.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path, PurePosixPath

PREFIX = "package:"


def find_folder(target: str) -> str:
    """A folder's path; that of a folder in a package is absolute.

    Args:
        target: A path, or `package:` with a package's name and a path in it.

    Returns:
        The path; `target` itself if the package is not installed, which is not a folder.

    Raises:
        ValueError: The part after `package:` is not such a path.
    """
    if not target.startswith(PREFIX):
        return target
    parts = PurePosixPath(target[len(PREFIX) :]).parts
    if not parts or not parts[0].isidentifier() or ".." in parts:
        raise ValueError(f"'{PREFIX}<name of a package>/<folder in it>', not {target!r:.100}")
    try:
        spec = importlib.util.find_spec(parts[0])
    except (ImportError, ValueError):  # a broken finder; a module without a spec
        spec = None
    places = list((spec and spec.submodule_search_locations) or ())
    folders = [Path(os.path.abspath(place), *parts[1:]) for place in places]
    found = next((folder for folder in folders if folder.is_dir()), None)
    return target if found is None else str(found)
