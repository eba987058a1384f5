"""The project that is attacked: an innocent analysis, a mortal one, and a hostile kernel."""

from __future__ import annotations

import shutil
from pathlib import Path

_HERE = Path(__file__).parent
INDEX = """
analyses:
  - name: innocent
  - name: mortal
  - name: hostile
    kernel: hostile
"""


def write_project(folder: Path) -> Path:
    """Write it into an empty folder.

    Returns:
        The folder of analyses.
    """
    analyses = folder / "analyses"
    for name in ("innocent", "mortal"):
        shutil.copytree(_HERE / "innocent", analyses / name)
    (analyses / "hostile").mkdir()
    (analyses / "hostile" / "index.html").write_text("<p>hostile</p>")
    (analyses / "index.yaml").write_text(INDEX)
    shutil.copytree(_HERE / "hostile", folder / "kernels" / "hostile")
    return analyses
