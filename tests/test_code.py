"""Sizes that keep a module readable: under 320 lines of code, function bodies under 30.

Comments, docstrings and blank lines are free: a limit on them would take the reasons away. A module
that needs more code says why in a comment at its top: `# long module: reason` or
`# long functions: reason`.
"""

import ast
import io
import re
import tokenize
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
_MODULE_LINES = 319
_FUNCTION_LINES = 29
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _reason(text: str, kind: str) -> bool:
    top = "\n".join(text.splitlines()[:_TOP_LINES])
    return re.search(rf"^#\s*long {kind}: \S.{{10,}}", top, re.MULTILINE) is not None


def code_lines(text: str) -> set[int]:
    """The numbers of the lines that hold code: no comment alone, no docstring, not blank."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            lines.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef, lines: set[int]) -> int:
    """How many of these lines are in the function's body, those of nested functions too."""
    first, last = function.body[0].lineno, function.body[-1].end_lineno
    return len(lines.intersection(range(first, last + 1)))


def too_long(text: str) -> list[str]:
    """What in this module's text is over a limit and without a reason."""
    found = []
    lines = code_lines(text)
    if len(lines) > _MODULE_LINES and not _reason(text, "module"):
        found.append(f"{len(lines)} lines of code, limit {_MODULE_LINES}")
    if _reason(text, "functions"):
        return found
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            count = body_lines(node, lines)
            if count > _FUNCTION_LINES:
                where = f"{node.name} (line {node.lineno})"
                found.append(f"{where}: {count} lines, limit {_FUNCTION_LINES}")
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
    text = "x = 1\n" * 320
    assert too_long(text) == ["320 lines of code, limit 319"]
    assert too_long("# long module: one table, read top to bottom\n" + text) == []


def test_comments_docstrings_and_blank_lines_are_free():
    top = '"""What it owns,\n\nand why.\n"""\n'
    assert too_long(top + "# why\n\n" * 400 + "x = 1  # code\n" * 319) == []
    function = 'def f():\n    """Doc.\n\n    More.\n    """\n' + "    # why\n\n" * 40
    function += "    x = 1\n" * 29
    assert too_long(function) == []
    text = function + "    y = '''two\nlines'''\n"  # a text that is no docstring is code
    assert too_long(text) == ["f (line 1): 31 lines, limit 29"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_module_of_the_package_opens_with_a_docstring(path):
    if path.stat().st_size == 0 or "databench" not in path.relative_to(REPOSITORY).parts[:1]:
        return
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert docstring, "a module opens with what it owns and what it refuses"


# What people import under these names: an exception of the kernel's and the 0.7 API.
_TWICE = {"Cancelled", "Meta"}


def test_each_class_of_the_package_has_a_name_of_its_own():
    package = REPOSITORY / "databench"
    found: dict[str, list[str]] = {}
    for path in package.rglob("*.py"):
        if (package / "tests") in path.parents:
            continue  # analyses as people write theirs
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(str(path.relative_to(package)))
    assert {name for name, paths in found.items() if len(paths) > 1} == _TWICE, found
