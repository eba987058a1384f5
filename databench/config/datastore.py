"""`datastore:` of `index.yaml`: where state is kept.

Unlike other keys, one that cannot be used ends the start: a server that kept state nowhere would
look like one that keeps it.
"""

from __future__ import annotations

import dataclasses
import difflib
from pathlib import Path
from urllib.parse import unquote

from ..errors import SettingError

KNOWN = ("memory", "sqlite:///state.db")
_SCHEMES = ("memory", "sqlite")
_SQLITE = "sqlite:///"


@dataclasses.dataclass(frozen=True)
class Datastore:
    """What the file says.

    Attributes:
        text: As it is written.
        line: Where, counted from 1.
    """

    text: str
    line: int

    def find_path(self, folder: Path) -> Path | None:
        """The file to keep state in, or `None` where it is kept in memory alone.

        Args:
            folder: The analyses' folder, from which a relative path counts.

        Raises:
            SettingError: It names no datastore that is known.
        """
        if self.text == "memory":
            return None
        path = unquote(self.text.removeprefix(_SQLITE))
        if self.text.startswith(_SQLITE) and path and not path.endswith("/") and "\0" not in path:
            return folder / path
        scheme = self.text.partition(":")[0]
        near = difflib.get_close_matches(scheme, _SCHEMES, n=1)
        hint = f" (nearest: '{near[0]}')" if near else ""
        raise SettingError(
            f"datastore is {self.text!r:.100}, expected {' or '.join(KNOWN)}{hint}; "
            "not started, since nothing would be kept",
            name="datastore",
            file=str(folder / "index.yaml"),
            line=self.line,
        )
