"""`datastore:` of `index.yaml`: where the server keeps state.

Unlike other keys, one that cannot be used ends the start: a server that kept state nowhere would
look like one that keeps it.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

from ..errors import SettingError
from .names import INDEX_FILE

KNOWN = ("memory", "sqlite:///state.db")
_SCHEMES = ("memory", "sqlite")
_SQLITE = "sqlite:///"


@dataclasses.dataclass(frozen=True)
class DatastoreChoice:
    """The key as the file has it.

    Attributes:
        text: As it is written.
        line: Where, counted from 1.
    """

    text: str
    line: int

    def find_path(self, folder: Path, given_out: Iterable[Path] = ()) -> Path | None:
        """The file to keep state in, or `None` if it is kept in memory alone.

        Args:
            folder: The analyses' folder, from which a relative path counts.
            given_out: Folders whose files any visitor may read.

        Raises:
            SettingError: It names no known datastore, or one that any visitor could read.
        """
        if self.text == "memory":
            return None
        path = unquote(self.text.removeprefix(_SQLITE))
        if self.text.startswith(_SQLITE) and path and not path.endswith("/") and "\0" not in path:
            return self._check_place(folder / path, folder, given_out)
        scheme = self.text.partition(":")[0]
        near = difflib.get_close_matches(scheme, _SCHEMES, n=1)
        hint = f" (nearest: '{near[0]}')" if near else ""
        text = f"datastore is {self.text!r:.100}, expected {' or '.join(KNOWN)}{hint}"
        raise self._refuse(f"{text}; not started, because nothing would be kept", folder)

    def _check_place(self, path: Path, folder: Path, given_out: Iterable[Path]) -> Path:
        for root in given_out:
            if path.resolve().is_relative_to(root.resolve()):
                text = f"datastore {str(path)!r} is in {str(root)!r}, whose files pages can load"
                raise self._refuse(f"{text}; not started, because it holds session ids", folder)
        return path

    def _refuse(self, text: str, folder: Path) -> SettingError:
        file = str(folder / INDEX_FILE)
        return SettingError(text, name="datastore", file=file, line=self.line)
