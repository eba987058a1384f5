"""docs/reference/statements.md: each statement names tests, and those tests are there."""

import ast
import functools
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "reference" / "statements.md"
_ROW = re.compile(
    r"^\| (?!statement \||---)(?P<statement>.+?) \| (?P<tests>[^|]*) \|$", re.MULTILINE
)
_TEST = re.compile(r"`([^`]+)`")
ROWS = [(row["statement"], _TEST.findall(row["tests"])) for row in _ROW.finditer(PAGE.read_text())]


def test_every_line_of_a_table_is_read():
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    heads = sum(line.startswith(("| statement |", "|---|")) for line in lines)
    assert len(ROWS) == len(lines) - heads


@pytest.mark.parametrize(("statement", "tests"), ROWS, ids=[row[0][:60] for row in ROWS])
def test_a_statement_names_tests_that_are_there(statement, tests):
    assert tests, f"no test is named for: {statement}"
    assert [test for test in tests if not _is_there(test)] == []


def _is_there(test: str) -> bool:
    path, _, name = test.partition("::")
    if path.endswith(".mjs"):
        return name in (REPOSITORY / path).read_text() if name else (REPOSITORY / path).is_file()
    return name.partition("[")[0] in _names(path)


@functools.cache
def _names(path: str) -> frozenset[str]:
    """Tests of a file: `test_x`, and `TestClass::test_x`."""
    file = REPOSITORY / path
    if not file.is_file():
        return frozenset()
    found = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}::{item.name}"
                for item in node.body
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return frozenset(found)
