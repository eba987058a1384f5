"""Each source file has its own test file: databench/a/b.py is tested in tests/a/test_b.py."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "databench"

# Source file to the reason why no test file carries its name.
_EXCEPTIONS = {
    "__main__.py": "two lines; every test that starts a server runs it",
    "kernel/__main__.py": "two lines; every kernel that a test starts runs it",
    "_version.py": "one constant; tests/test_wheel.py compares it with the wheel",
}


def mirror(path: Path) -> Path:
    """The test file of a source file."""
    inner = path.relative_to(PACKAGE)
    return REPOSITORY / "tests" / inner.parent / f"test_{inner.name}"


def _has_code(path: Path) -> bool:
    """Of the packages' own files, those that hold more than a docstring and imports."""
    if path.name != "__init__.py":
        return True
    return any(word in path.read_text() for word in ("\ndef ", "\nclass ", "\nasync def "))


SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if _has_code(path))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_source_file_has_its_test_file(path):
    name = str(path.relative_to(PACKAGE))
    if name in _EXCEPTIONS:
        assert not mirror(path).exists(), f"{name} has a test file: take it off the exceptions"
        return
    assert mirror(path).exists(), f"{mirror(path).relative_to(REPOSITORY)} is missing"
    assert "def test_" in mirror(path).read_text(), f"{mirror(path)} holds no test"


def test_every_exception_names_a_file():
    assert [name for name in _EXCEPTIONS if not (PACKAGE / name).exists()] == []
