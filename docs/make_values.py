"""Write the tables of docs/reference/values.md: python docs/make_values.py [--check].

The rows are those of docs/values_table.py, which the tests run.
"""

import sys
from pathlib import Path

from values_table import NUMPY, PANDAS, POLARS, PYTHON, REFUSED, Row

PAGE = Path(__file__).resolve().parent / "reference" / "values.md"
_BEGIN, _END = "<!-- {}: begin -->\n", "<!-- {}: end -->\n"
_TABLES = {"python": PYTHON, "numpy": NUMPY, "pandas": PANDAS, "polars": POLARS}


def _code(text: str) -> str:
    """Text in a cell, with what half of a surrogate pair is in words of JSON."""
    return "`" + text.replace("|", "\\|").replace("\ud800", "\\ud800") + "`"


def _key(row: Row) -> str:
    return "refused" if row.key is None else _code(f'"{row.key}"')


def sent(rows: list[Row]) -> str:
    """The table of what can be sent."""
    lines = ["| value | example | JSON | as a key | back from state |", "|---|---|---|---|---|"]
    for row in rows:
        back = "" if row.back is None else _code(row.back)
        cells = [row.kind, _code(row.source), _code(row.sent or ""), _key(row), back]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def refused(rows: list[Row]) -> str:
    """The table of what is refused."""
    lines = ["| value | convert it, for example with |", "|---|---|"]
    lines += [f"| {row.kind} | {_code(row.hint)} |" for row in rows]
    return "\n".join(lines) + "\n"


def render(page: str) -> str:
    """The page with its tables made new."""
    made = {name: sent(rows) for name, rows in _TABLES.items()} | {"refused": refused(REFUSED)}
    for name, table in made.items():
        begin, end = _BEGIN.format(name), _END.format(name)
        before, rest = page.split(begin)
        page = before + begin + "\n" + table + "\n" + end + rest.split(end)[1]
    return page


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
