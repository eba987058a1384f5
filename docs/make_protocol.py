"""Write the state table of docs/protocol.md: python docs/make_protocol.py [--check]."""

from __future__ import annotations

import sys
from pathlib import Path

from databench.protocol.lifecycle import TABLE, State

PAGE = Path(__file__).parent / "protocol.md"
BEGIN = "<!-- made by docs/make_protocol.py: states -->"
END = "<!-- end -->"


def make_table() -> str:
    """Each state with the events that leave it, as a Markdown table."""
    rows = ["| state | left on |", "|---|---|"]
    for state in State:
        steps = [
            f"{event.value} → {after.value}"
            for (before, event), after in TABLE.items()
            if before is state and after is not state
        ]
        rows.append(f"| `{state.value}` | {'; '.join(steps) or 'never'} |")
    return "\n".join(rows)


def make_page(text: str) -> str:
    """The page with its table made anew."""
    head, rest = text.split(BEGIN)
    return head + BEGIN + "\n" + make_table() + "\n" + END + rest.split(END, 1)[1]


def main() -> int:
    """Write the page, or with `--check` say whether it is up to date."""
    text = PAGE.read_text()
    made = make_page(text)
    if "--check" in sys.argv:
        return int(made != text)
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
