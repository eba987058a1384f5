"""The direction of imports, read from the source: who may know whom.

cli > front > broker > protocol; broker > config; front > http; cli > conformance > protocol;
kernel > analysis > datastore > protocol; any > closecodes, errors, multipart, settings, printable,
descriptors, threads. A lazy import and one under TYPE_CHECKING count like any other.
"""

import ast
import posixpath
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "databench"
SOURCES = sorted(PACKAGE.rglob("*.py"))

_EVERYBODY = {
    "closecodes",
    "descriptors",
    "errors",
    "multipart",
    "settings",
    "printable",
    "install",
    "standard",
    "threads",
    "_version",
}
_ALLOWED = {
    "errors": set(),
    "multipart": set(),
    "install": set(),
    "_version": set(),
    "closecodes": set(),
    "descriptors": set(),
    "threads": {"errors"},
    "standard": set(),
    "settings": {"errors"},
    "printable": set(),
    "protocol": set(),
    "http": set(),
    "config": set(),
    "utils": {"payload"},
    "readme": set(),
    "payload": set(),
    "datastore": {"payload", "protocol"},
    "progress": set(),
    "analysis": {"functions", "datastore", "payload", "protocol", "progress"},
    "functions": set(),
    "kernel": {"analysis", "functions", "datastore", "payload", "protocol", "__init__"},
    # `config`: how a YAML file is read, of kernel specs too.
    "broker": {"protocol", "config"},
    # `payload`: for `class_data`, where a handler of a project asks for it.
    "front": {"broker", "protocol", "http", "config", "readme", "payload"},
    "scaffold": {"broker", "config", "front"},
    # `databench.run`: a command line of its own for one script.
    "single": {"analysis", "cli", "front", "protocol"},
    # Plays the front against a kernel; of the broker it knows how a kernel spec is read.
    "conformance": {"broker", "protocol"},
    "cli": {"front", "broker", "protocol", "http", "config", "scaffold", "conformance"},
    # Runs actions by the kernel's own rules, without a kernel.
    "meta": {"analysis", "datastore", "kernel", "payload"},
    "testing": {
        "meta",
        "payload",
        "analysis",
        "datastore",
        "kernel",
        "protocol",
        "broker",
        "front",
        "http",
    },
    "__main__": {"cli"},
    "tests": {"__init__", "analysis", "datastore"},  # written as people write theirs
    # Runs in every process of ours, kernels too: what a person subclasses, and no server.
    "__init__": {
        "analysis",
        "datastore",
        "functions",
        "http",
        "meta",
        "readme",
        "single",
        "testing",
        "utils",
    },
}
# What decides has no loop, socket, clock, chance, thread or process.
_IMPURE = {
    *("tornado", "zmq", "asyncio", "socket", "time", "random"),
    *("secrets", "uuid", "threading", "multiprocessing", "subprocess", "select", "selectors"),
    *("concurrent", "signal", "os", "tempfile", "datetime"),
}
_OUTSIDE = {
    "protocol": _IMPURE,
    "errors": _IMPURE,
    "settings": _IMPURE - {"os"},
    "printable": _IMPURE,
    "front": {"zmq", "subprocess", "multiprocessing"},
    "http": {"zmq", "subprocess"},
    "config": {"zmq", "tornado", "asyncio", "subprocess"},
    "cli": {"zmq", "subprocess"},
    "analysis": {"zmq", "subprocess"},
    "datastore": {"zmq", "tornado", "asyncio", "subprocess"},
}


# What a wing knows of the rest of its package.
#
# Sessions and supervision do not know each other: they meet in `broker.kernels`, which supervisors
# know as `supervision.owner.Owner` alone. Of the front's wings, `security`, `content` and most of
# `websockets` know no handler: the context holds their parts, the handlers find them there. Nothing
# in a wing knows the application, its rules or `serve`.
_WINGS = {
    "broker.sessions": {
        "broker.machine",
        "broker.records",
        "broker.specs",
        "broker.stores.base",
        "broker.stores.class_data",
        "broker.tables",
    },
    "broker.supervision": {"broker.specs"},
    "front.content": {"front.security.privatefiles"},
    "front.handlers": {
        "front.basehandler",
        "front.content.addresses",
        "front.content.authored",
        "front.content.cache",
        "front.content.files",
        "front.content.formulae",
        "front.content.functionpages",
        "front.content.offeredactions",
        "front.content.sources",
        "front.content.templates",
        "front.context",
        "front.folders",
        "front.security.hosts",
        "front.security.visitors",
        "front.websockets.basesocket",
        "front.websockets.livereload",
    },
    "front.reload": {
        "front.content.addresses",
        "front.content.offeredactions",
        "front.content.templates",
        "front.context",
        "front.folders",
    },
    "front.security": set(),
    "front.startup": {
        "front.folders",
        "front.reload.reexec",
        "front.security.sessionlinks",
        "front.security.tls",
    },
    "front.websockets": {"front.basehandler", "front.security.hosts"},
}


def layer(path: Path) -> str:
    """'protocol' for databench/protocol/codec.py, 'cli' for databench/cli.py."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(text: str, package: list[str]) -> set[str]:
    """Full names of the modules that a text imports; `package` is the module's own package."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            # `from databench import front` names a module, `from databench.front import app` too.
            found.update(f"{origin}.{name.name}" for name in node.names)
    return found


def module_of(path: Path) -> str:
    """'broker.stores.base' for databench/broker/stores/base.py, 'broker' for its package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def find_edges(sources: dict[str, set[str]]) -> dict[str, set[str]]:
    """Which modules each module imports, of those that are given.

    Args:
        sources: Module to the full names that it imports.
    """

    def find(name: str) -> str | None:
        inner = name.removeprefix("databench.") if name.startswith("databench.") else None
        while inner and inner not in sources:
            inner = inner.rpartition(".")[0]
        return inner or None

    found = {own: {find(name) for name in names} for own, names in sources.items()}
    return {own: names - {None, own} for own, names in found.items()}


def find_circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """The groups of modules that reach each other, in the order of their first names."""

    def reach(start: str) -> set[str]:
        reached, ahead = set(), [start]
        while ahead:
            for name in edges[ahead.pop()] - reached:
                reached.add(name)
                ahead.append(name)
        return reached

    reached = {own: reach(own) for own in edges}
    circles = {
        frozenset(name for name in names if own in reached[name])
        for own, names in reached.items()
        if own in names
    }
    return sorted(map(set, circles), key=min)


def _is_module(name: str) -> bool:
    return name in _ALLOWED or (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()


def violations(own: str, names: set[str]) -> list[str]:
    """What a module of layer `own` imports and may not."""
    wrong = []
    for name in sorted(names):
        top, _, rest = name.partition(".")
        if top != "databench":
            if top in _OUTSIDE.get(own, set()):
                wrong.append(f"{own} imports {top}")
            continue
        target = rest.partition(".")[0]
        target = target if target and _is_module(target) else "__init__"
        if target != own and target not in _ALLOWED[own] | _EVERYBODY:
            wrong.append(f"{own} imports {target} ({name})")
    return wrong


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_imports_go_one_way(path):
    package = list(path.relative_to(REPOSITORY).parent.parts)
    own = layer(path)
    assert own in _ALLOWED, f"no layer is named for {own}: give it a row in _ALLOWED"
    assert violations(own, imported(path.read_text(), package)) == []


def find_package_edges() -> dict[str, set[str]]:
    """Which modules of the package import which."""
    # The package's own face only hands names on, each when it is first used.
    paths = [path for path in SOURCES if path != PACKAGE / "__init__.py"]
    return find_edges(
        {
            module_of(path): imported(
                path.read_text(), list(path.relative_to(REPOSITORY).parent.parts)
            )
            for path in paths
        }
    )


def test_no_modules_import_each_other():
    assert find_circles(find_package_edges()) == [], (
        "hand in what is needed, or move the name to where both may look"
    )


def find_client_edges(sources: dict[str, str]) -> dict[str, set[str]]:
    """Which modules of the client import which, for their types alone too.

    Args:
        sources: Module, such as `ui/input`, to its text.
    """
    return {
        own: {
            posixpath.normpath(posixpath.join(posixpath.dirname(own), name))
            for name in re.findall(r"^(?:im|ex)port [^;]*?from '([.][^']*)';", text, re.MULTILINE)
        }
        for own, text in sources.items()
    }


def test_no_modules_of_the_client_import_each_other():
    root = PACKAGE / "client"
    sources = {
        path.relative_to(root).with_suffix("").as_posix(): path.read_text()
        for path in root.rglob("*.ts")
    }
    edges = find_client_edges(sources)
    assert edges["connection"] >= {"transport", "page"}
    assert find_circles(edges) == []


def test_a_circle_of_the_client_is_found():
    texts = {
        "a": "import {\n  x,\n} from './ui/b';\n",
        "ui/b": "import { y } from './c';\nimport 'other';\n",
        "ui/c": "import type { A } from '../a';\nexport { z } from './d';\n",
        "ui/d": "const text = 'from the top';\n",
    }
    assert find_circles(find_client_edges(texts)) == [{"a", "ui/b", "ui/c"}]


def find_known(wing: str, edges: dict[str, set[str]]) -> set[str]:
    """What the modules of a wing import from the rest of its package."""
    package = wing.partition(".")[0]
    return {
        name
        for own, names in edges.items()
        for name in names
        if _is_in(own, wing) and _is_in(name, package) and not _is_in(name, wing)
    }


def _is_in(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def test_the_conformance_suite_knows_of_the_broker_how_a_spec_is_read():
    known = {
        name
        for own, names in find_package_edges().items()
        for name in names
        if _is_in(own, "conformance") and _is_in(name, "broker")
    }
    assert known == {"broker.supervision.kernelspec"}


@pytest.mark.parametrize("wing", sorted(_WINGS))
def test_a_wing_knows_the_rest_of_its_package_by_a_few_rooms(wing):
    assert find_known(wing, find_package_edges()) == _WINGS[wing]


def test_each_wing_of_the_front_is_named():
    folders = {f"front.{path.parent.name}" for path in (PACKAGE / "front").glob("*/__init__.py")}
    assert folders == {wing for wing in _WINGS if wing.startswith("front.")}


def test_no_wings_know_each_other():
    """Not even through different modules, of which none imports the other."""
    edges = {
        wing: {other for other in _WINGS if any(_is_in(name, other) for name in known)}
        for wing, known in _WINGS.items()
    }
    assert edges["front.handlers"] == {"front.content", "front.security", "front.websockets"}
    assert find_circles(edges) == []


@pytest.mark.parametrize(
    ("texts", "circles"),
    [
        ({"a.x": "from . import y", "a.y": "import os"}, []),
        ({"a.x": "from . import y", "a.y": "from .x import f"}, [{"a.x", "a.y"}]),
        (
            {
                "a.x": "if TYPE_CHECKING:\n    from .y import Y",
                "a.y": "from . import z",
                "a.z": "def f():\n    from .x import X",
                "a.other": "from . import x, y, z",
            },
            [{"a.x", "a.y", "a.z"}],
        ),
        ({"a": "from .x import f", "a.x": "from . import g"}, [{"a", "a.x"}]),
        ({"a.x": "from ..b.y import f", "b.y": "from databench.a import x"}, [{"a.x", "b.y"}]),
    ],
)
def test_a_circle_is_found(texts, circles):
    sources = {
        own: imported(text, ["databench", *own.split(".")[: 1 if own == "a" else -1]])
        for own, text in texts.items()
    }
    assert find_circles(find_edges(sources)) == circles


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_only_the_broker_starts_and_ends_processes(path):
    # `http.processes` forks an application that asks for several processes: never the front.
    # `kernel.process.kin` ends what its own kernel has started, once no front and no guard is
    # there.
    # What is below `tests` are analyses, in which people may do as they like.
    # `conformance.process` starts the kernel that is tested, where no broker is.
    excused = (
        PACKAGE / "http" / "processes.py",
        PACKAGE / "kernel" / "process" / "kin.py",
        PACKAGE / "conformance" / "process.py",
    )
    if layer(path) in ("broker", "tests") or path in excused:
        return
    calls = {"Popen", "kill", "killpg", "fork", "posix_spawn", "create_subprocess_exec"}
    found = [
        f"line {node.lineno}: {node.func.attr}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"os", "subprocess", "asyncio", "signal"}
        and node.func.attr in calls
    ]
    assert found == []


@pytest.mark.parametrize(
    ("own", "text", "wrong"),
    [
        ("protocol", "import time", ["protocol imports time"]),
        ("protocol", "from asyncio import Queue", ["protocol imports asyncio"]),
        (
            "protocol",
            "from databench.broker import x",
            ["protocol imports broker (databench.broker.x)"],
        ),
        (
            "broker",
            "def f():\n    from ..front import app",
            ["broker imports front (databench.front.app)"],
        ),
        ("front", "import zmq.asyncio", ["front imports zmq"]),
        ("broker", "import databench", ["broker imports __init__ (databench)"]),
        ("broker", "from ..errors import KernelError\nfrom . import channel\nimport zmq", []),
        ("kernel", "from databench import Analysis", []),
    ],
)
def test_a_wrong_import_is_found(own, text, wrong):
    assert violations(own, imported(text, ["databench", own])) == wrong
