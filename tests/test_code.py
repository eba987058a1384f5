"""Sizes that keep a module readable: under 400 lines, function bodies under 30.

A module that needs more says why in a comment at its top: `# long module: reason` or
`# long functions: reason`.
"""

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path
    for folder in ("databench", "benchmarks", "kernels", "analyses")
    for path in (REPOSITORY / folder).rglob("*.py")
    if "node_modules" not in path.parts
)
_TOP_LINES = 40


def _reason(text: str, kind: str) -> bool:
    top = "\n".join(text.splitlines()[:_TOP_LINES])
    return re.search(rf"^#\s*long {kind}: \S.{{10,}}", top, re.MULTILINE) is not None


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last, those of nested defs too."""
    body = function.body
    has_docstring = ast.get_docstring(function, clean=False) is not None
    body = body[1:] if has_docstring else body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def too_long(text: str) -> list[str]:
    """What in this module's text is over a limit and without a reason."""
    found = []
    if len(text.splitlines()) >= 400 and not _reason(text, "module"):
        found.append(f"{len(text.splitlines())} lines, limit 399")
    if _reason(text, "functions"):
        return found
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_lines(node) >= 30:
            found.append(f"{node.name} (line {node.lineno}): {body_lines(node)} lines, limit 29")
    return found


def test_sources_are_found():
    assert len(SOURCES) > 5


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_module_and_function_sizes(path):
    assert too_long(path.read_text()) == []


def test_a_long_function_is_found_and_a_reason_excuses_it():
    text = 'def f():\n    """Doc."""\n' + "    x = 1\n" * 30
    assert too_long(text) == ["f (line 1): 30 lines, limit 29"]
    assert too_long("# long functions: one table, read top to bottom\n" + text) == []


def test_a_long_module_is_found_and_a_reason_excuses_it():
    text = "x = 1\n" * 400
    assert too_long(text) == ["400 lines, limit 399"]
    assert too_long("# long module: one table, read top to bottom\n" + text) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_module_of_the_package_opens_with_a_docstring(path):
    if path.stat().st_size == 0 or "databench" not in path.relative_to(REPOSITORY).parts[:1]:
        return
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert docstring, "a module opens with what it owns and what it refuses"
