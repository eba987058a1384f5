"""Write the table of docs/reference/settings.md: python docs/make_settings.py [--check].

Run by `make docs`; tests/test_docs.py fails when the page is not what this makes.
"""

import sys
from pathlib import Path

from databench.settings import TABLE, Setting

PAGE = Path(__file__).resolve().parent / "reference" / "settings.md"
_BEGIN, _END = "<!-- table: begin -->\n", "<!-- table: end -->\n"


def _number(row: Setting, value: float) -> str:
    """A value as people read it: bytes in KiB or MiB where that is exact."""
    if row.unit == "bytes" and value:
        for size, name in ((2**20, "MiB"), (2**10, "KiB")):
            if value % size == 0:
                return f"{int(value)} ({int(value) // size} {name})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def table() -> str:
    """The rows, in the order of the source."""
    lines = ["| name | default | unit | least | what it is |", "|---|---|---|---|---|"]
    for row in TABLE:
        cells = [f"`{row.name}`", _number(row, row.default), row.unit, _number(row, row.minimum)]
        lines.append(f"| {' | '.join(cells)} | {row.help} |")
    return "\n".join(lines) + "\n"


def render(page: str) -> str:
    """The page with its table made anew."""
    before, rest = page.split(_BEGIN)
    _, after = rest.split(_END)
    return before + _BEGIN + "\n" + table() + "\n" + _END + after


def main() -> int:
    """Write the page, or with `--check` say whether it is up to date."""
    text = PAGE.read_text()
    made = render(text)
    if "--check" in sys.argv:
        return int(made != text)
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
