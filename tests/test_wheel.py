"""The wheel: holds what setup.cfg names, all of it, and serves from an empty folder."""

import configparser
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.visitor import visit

REPOSITORY = Path(__file__).resolve().parent.parent
# Folders of the repository that the wheel has under another name.
_MAPPED = {"databench": "databench", "analyses": "databench.analyses_packaged"}
_LIMIT_S = 240  # pip makes an environment and fetches the dependencies


def _setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(REPOSITORY / "setup.cfg")
    return parser


def _packages() -> set[str]:
    return set(_setup()["options"]["packages"].split())


def folders_with_code() -> set[str]:
    """The package name of every folder that holds Python files."""
    found = set()
    for top, package in _MAPPED.items():
        for path in (REPOSITORY / top).rglob("*.py"):
            inner = path.parent.relative_to(REPOSITORY / top).parts
            if "node_modules" not in inner:
                found.add(".".join([package, *inner]))
    return found


def _tracked(folder: str) -> list[Path]:
    """The files of a folder that belong to the project, as git has them."""
    command = ["git", "ls-files", "-z", folder]
    listed = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return [Path(name) for name in listed.stdout.split("\0") if name]


def test_setup_cfg_names_every_package_and_no_other():
    named = _packages() - {"databench.kernels_packaged"}
    assert named == folders_with_code(), "bring `packages` in setup.cfg up to date"


def test_lock_file_names_no_registry():
    assert '"resolved"' not in (REPOSITORY / "package-lock.json").read_text()


def test_versions_agree():
    namespace: dict[str, str] = {}
    exec((REPOSITORY / "databench" / "_version.py").read_text(), namespace)
    ours = re.fullmatch(r"(\d+\.\d+\.\d+)(?:\.dev(\d+))?", namespace["__version__"])
    assert ours is not None
    node = ours[1] + (f"-dev.{ours[2]}" if ours[2] else "")
    assert json.loads((REPOSITORY / "package.json").read_text())["version"] == node
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    assert re.search(rf"^## {re.escape(ours[1])}\b", changelog, re.MULTILINE)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built from what git has, so that a file nobody added is missing here too."""
    source = tmp_path_factory.mktemp("source")
    for path in _tracked("."):
        if (REPOSITORY / path).is_file():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / path, source / path)
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(source)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "absent from the `packages`" not in result.stdout + result.stderr
    return next(out.glob("databench-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The bin folder of an environment that holds the wheel and what it depends on, no more."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-q"]
    result = subprocess.run(
        [*pip, "install", str(wheel)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return folder / "bin"


@pytest.fixture(scope="module")
def address(installed, tmp_path_factory) -> Iterator[str]:
    """A server started by the installed command in an empty folder."""
    environ = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PORT", "HOST")}
    environ["PYTHONUNBUFFERED"] = "1"
    with subprocess.Popen(
        [str(installed / "databench"), "--port", "0"],
        cwd=tmp_path_factory.mktemp("empty"),
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        assert server.stdout is not None
        printed = []
        for line in server.stdout:
            printed.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield found[0]
                break
        else:
            pytest.fail("the server told no address:\n" + "".join(printed))
        server.send_signal(signal.SIGTERM)
        rest = server.stdout.read()
        assert server.wait(timeout=30) == 0, "".join(printed) + rest


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as response:
        return response.read().decode()


@pytest.mark.slow
@pytest.mark.timeout(_LIMIT_S)
def test_wheel_holds_what_the_project_has(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        path
        for folder in ("databench", "analyses")
        for path in _tracked(folder)
        if not path.is_relative_to("databench/client") and path.name != ".gitignore"
    }
    expected |= {path for path in _tracked("kernels") if path.name == "kernel.yaml"}
    expected |= {path for path in _tracked("kernels") if path.parent.name == "conformance"}
    inside = {re.sub(r"^analyses/", "databench/analyses_packaged/", str(path)) for path in expected}
    inside = {re.sub(r"^kernels/", "databench/kernels_packaged/", name) for name in inside}
    assert inside - names == set()
    assert {n for n in names if not n.startswith("databench")} == set()
    assert {n for n in names if ".dist-info/" not in n} - inside == set()


@pytest.mark.slow
@pytest.mark.timeout(_LIMIT_S)
def test_analyses_for_tests_are_imported_from_the_wheel(installed, tmp_path):
    line = (
        "from databench.tests.analyses.parameters.analysis import Parameters as P; P.on_test_data"
    )
    command = [str(installed / "python"), "-c", line]
    subprocess.run(command, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, check=True)


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.timeout(_LIMIT_S)
def test_the_python_kernel_is_tested_from_the_wheel(installed, tmp_path):
    command = [str(installed / "databench"), "kernel-test", "py", "--only", "start"]
    environ = {"PATH": os.environ["PATH"]}
    result = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "  ok    echo " in result.stdout  # it found its conformance analysis


def _find_type_errors(installed: Path, file: Path) -> str:
    """What a strict mypy, with no configuration of ours, says of a file that uses the wheel."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"]
    command += ["--python-executable", str(installed / "python"), "--python-version", "3.11"]
    result = subprocess.run(
        [*command, str(file)], cwd=file.parent, capture_output=True, text=True, check=False
    )
    return result.stdout + result.stderr


@pytest.mark.slow
@pytest.mark.timeout(_LIMIT_S)
def test_types_of_the_wheel_serve_a_strict_project(installed, tmp_path):
    source = (REPOSITORY / "tests" / "typed" / "analysis.py").read_text()
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(source)
    assert 'self.emit("run", {' in source
    bad.write_text(source.replace('self.emit("run", {', "self.emit(5, {"))
    assert _find_type_errors(installed, good) == ""
    assert 'Argument 1 to "emit" of "Analysis" has incompatible type "int"' in _find_type_errors(
        installed, bad
    )


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.timeout(_LIMIT_S)
def test_gallery_is_served_from_the_wheel(address):
    page = _get(address + "/")
    assert "Packaged Analyses" in page
    assert "dummypi" in page


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.timeout(_LIMIT_S)
@pytest.mark.parametrize("path", ["/dummypi/", "/_static/databench.js", "/_static/databench.css"])
def test_page_and_its_files_are_served_from_the_wheel(address, path):
    assert len(_get(address + path)) > 200


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.timeout(_LIMIT_S)
def test_source_of_an_analysis_is_not_served_from_the_wheel(address):
    with pytest.raises(urllib.error.HTTPError) as caught:
        _get(address + "/dummypi/analysis.py")
    with caught.value as error:
        assert error.code in (403, 404)


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.timeout(_LIMIT_S)
async def test_analysis_runs_in_a_kernel_from_the_wheel(address):
    async with visit(address.removeprefix("http://"), "pi") as visitor:
        await visitor.send(signal="samples", load=40_000)
        end = await visitor.run()
    assert end["outcome"] == "done"
    assert abs(visitor.data["pi"] - 3.14) < 0.1


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.timeout(_LIMIT_S)
@pytest.mark.parametrize("command", [["databench", "new"], ["scaffold-databench"]])
def test_new_analysis_is_made_from_the_wheel(installed, tmp_path, command):
    argv = [str(installed / command[0]), *command[1:], "pi"]
    subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)
    assert "class Pi(" in (tmp_path / "analyses" / "pi" / "analysis.py").read_text()
