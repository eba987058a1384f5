"""Each source file has its own test file.

databench/a/b.py is tested in tests/a/test_b.py, databench/client/a/b.ts in
tests/client/a/b.test.mjs.
"""

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
    return REPOSITORY / "tests" / inner.parent / f"test_{inner.name.replace('__init__', 'init')}"


def _has_code(path: Path) -> bool:
    """Of the packages' own files, those that hold more than a docstring and imports."""
    if path.name != "__init__.py":
        return True
    return any(word in path.read_text() for word in ("\ndef ", "\nclass ", "\nasync def "))


# Analyses that people import for their own tests: tests/processes runs them on a real server.
_SHOWN = PACKAGE / "tests"

SOURCES = sorted(
    path for path in PACKAGE.rglob("*.py") if _has_code(path) and not path.is_relative_to(_SHOWN)
)


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


# -- the page's side -------------------------------------------------------------------------------

CLIENT = PACKAGE / "client"
CLIENT_SOURCES = sorted(path for path in CLIENT.rglob("*.ts") if not path.name.endswith(".d.ts"))

# Source file to the test file that covers it together with its kin.
_CLIENT_SHARED = {
    "api.ts": ("package.test.mjs", "one object made of main"),
    "main.ts": ("package.test.mjs", "exports, and connect and attach"),
    "module.ts": ("package.test.mjs", "an entry of the bundle"),
    "call.ts": ("connection.test.mjs", "a call is one only over a connection"),
    "environment.ts": ("connection.test.mjs", "the world that the tests replace"),
    "kernel.ts": ("connection.test.mjs", "fed by a connection's frames"),
    "link.ts": ("connection.test.mjs", "the socket's half of a connection"),
    "typed.ts": ("reload.test.mjs", "what is kept over a reload"),
    "state.ts": ("connection.test.mjs", "fed by a connection's frames"),
    "formulaepage.ts": ("formulae.test.mjs", "an entry of the bundle; tests/browser runs it"),
    "ui/index.ts": ("ui/wire.test.mjs", "exports"),
    "ui/element.ts": ("ui/wire.test.mjs", "what all elements share"),
    "ui/cancel.ts": ("ui/wire.test.mjs", "a few lines over the connection"),
    "ui/progress.ts": ("ui/wire.test.mjs", "a few lines over the connection"),
    "ui/image.ts": ("ui/wire.test.mjs", "a few lines over the connection"),
    "ui/log.ts": ("ui/wire.test.mjs", "a few lines over the connection"),
    "ui/alerts.ts": ("ui/wire.test.mjs", "a few lines over the connection"),
    "ui/frame.ts": ("ui/text.test.mjs", "text is what is drawn once per frame"),
    "ui/input.ts": ("ui/inputs.test.mjs", "the base of all inputs"),
    "ui/checkbox.ts": ("ui/inputs.test.mjs", "one kind of input"),
    "ui/number.ts": ("ui/inputs.test.mjs", "one kind of input"),
    "ui/radio.ts": ("ui/inputs.test.mjs", "one kind of input"),
    "ui/select.ts": ("ui/inputs.test.mjs", "one kind of input"),
    "ui/slider.ts": ("ui/inputs.test.mjs", "one kind of input"),
    "ui/textinput.ts": ("ui/inputs.test.mjs", "one kind of input"),
}


@pytest.mark.parametrize("path", CLIENT_SOURCES, ids=lambda p: str(p.relative_to(CLIENT)))
def test_client_source_file_has_its_test_file(path):
    name = str(path.relative_to(CLIENT))
    own = name.removesuffix(".ts") + ".test.mjs"
    tested = own if name not in _CLIENT_SHARED else _CLIENT_SHARED[name][0]
    assert (REPOSITORY / "tests" / "client" / tested).exists(), f"tests/client/{tested} is missing"


def test_every_shared_test_file_is_needed():
    tests = REPOSITORY / "tests" / "client"
    own = {name: name.removesuffix(".ts") + ".test.mjs" for name in _CLIENT_SHARED}
    assert [name for name, file in own.items() if (tests / file).exists()] == []
    assert [name for name in _CLIENT_SHARED if not (CLIENT / name).exists()] == []
