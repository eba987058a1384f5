"""What every test is held to, whatever it tests.

* An unexpected record at WARNING or above on a `databench` logger fails the test
  (`@pytest.mark.expected_log('regular expression', ...)` lists those that may come).
* Nothing outlives a test: no process that it started, directly or not, no directory of
  Databench's in the temporary folder. Sockets and files: a ResourceWarning is an error here.
* The environment is left as it was: each process of a later test would inherit what is in it.
* With CI set, a test that skips itself has failed: nothing goes untested unseen.
"""

import contextlib
import logging
import os
import re
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

_RUN_KEY = "DATABENCH_TEST_RUN"
_STARTS_PROCESSES = ("process", "browser", "slow")
# A guard process may still be tidying up when the test has ended.
_GRACE_S = float(os.environ.get("DATABENCH_TEST_GRACE_S", "5"))
_REPOSITORY = Path(__file__).resolve().parent.parent


# -- one run: its mark in the environment, its own temporary folder --------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Marks this run: every process it starts, however far down, carries the word.

    One of several processes that share the tests adds its own name to the word of the whole run.
    """
    worker = getattr(config, "workerinput", None)
    word = secrets.token_hex(8)
    if worker is not None:
        word = f"{os.environ[_RUN_KEY]}.{worker['workerid']}."
    os.environ[_RUN_KEY] = word
    # pytest keeps its own folders where they are looked for after a failure.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    # Short, since a socket's path must stay below 107 bytes.
    folder = tempfile.mkdtemp(prefix="dbt-")
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    os.environ.pop("XDG_RUNTIME_DIR", None)  # a server prefers it, and it is the user's own
    _make_cache(Path(folder, "cache"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def _make_cache(folder: Path) -> None:
    """A cache whose tokens belong to this run, and otherwise is the real one; a separate state."""
    real = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    folder.mkdir()
    for entry in real.iterdir() if real.is_dir() else ():
        if entry.name != "databench":
            (folder / entry.name).symlink_to(entry)
    os.environ["XDG_CACHE_HOME"] = str(folder)
    os.environ["XDG_STATE_HOME"] = str(folder.with_name("state"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright's loop stays in this thread until the run has ended."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the run when a process is still there after the last fixture has gone."""
    if hasattr(session.config, "workerinput"):  # only the run that started it can fail by it
        return
    left = _wait_gone(_run_processes)
    for process in left.values():
        session.config.get_terminal_writer().line(f"\nleft behind by the run: {process}", red=True)
    if left:
        _end(left)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


# -- skips -----------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    return _refuse_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    report = yield
    return _refuse_skip(report)


def _refuse_skip(report):
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"with CI set nothing may skip: {reason}"
    return report


# -- a system that allows no more threads ----------------------------------------------------------


@pytest.fixture
def few_threads(monkeypatch):
    """A context in which that many more threads can run, and no others.

    The error is the interpreter's own: tests/processes/test_out_of_threads.py has the real one.
    """
    start = threading._start_new_thread

    @contextlib.contextmanager
    def limit(count):
        most = threading.active_count() + count

        def start_or_refuse(*args):
            if threading.active_count() - len(threading._limbo) >= most:
                raise RuntimeError("can't start new thread")
            return start(*args)

        with monkeypatch.context() as patch:
            patch.setattr(threading, "_start_new_thread", start_or_refuse)
            yield

    return limit


# -- the environment, which every process of a later test inherits ---------------------------------


@pytest.fixture(autouse=True)
def _no_changed_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    own = ("PYTEST_CURRENT_TEST",)
    changed = {
        name
        for name in before.keys() | os.environ.keys()
        if before.get(name) != os.environ.get(name) and name not in own
    }
    if changed:
        os.environ.clear()
        os.environ.update(before)
        pytest.fail(f"the environment was left changed: {sorted(changed)}", pytrace=False)


# -- logs ------------------------------------------------------------------------------------------


class _Unexpected(logging.Handler):
    """Keeps what was logged at WARNING or above and that no pattern names.

    Patterns: None: nothing is expected; an empty tuple: anything may come.
    """

    def __init__(self, patterns: tuple[str, ...] | None) -> None:
        super().__init__(logging.WARNING)
        self.patterns = patterns
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        allowed = self.patterns
        if allowed is None or (allowed and not any(re.search(p, text) for p in allowed)):
            self.lines.append(f"{record.levelname} {record.name}: {text}")


@pytest.fixture(autouse=True)
def _no_project_of_another_test() -> Iterator[None]:
    """Each test's project is called `analyses`: it is forgotten with the test."""
    yield
    if "analyses" in sys.modules:
        for name in [name for name in sys.modules if name.partition(".")[0] == "analyses"]:
            del sys.modules[name]


@pytest.fixture(autouse=True)
def _no_unexpected_log(request: pytest.FixtureRequest) -> Iterator[None]:
    marks = list(request.node.iter_markers("expected_log"))
    patterns = tuple(p for mark in marks for p in mark.args) if marks else None
    handler = _Unexpected(patterns)
    logger = logging.getLogger("databench")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    if handler.lines:
        pytest.fail("unexpected log records:\n" + "\n".join(handler.lines), pytrace=False)


# -- what a test leaves behind ---------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Looks for leftovers after tests that start processes; the others cannot make any.

    A process below a server that a wider fixture keeps (a module's, a run's) is that server's.
    """
    if not any(request.node.get_closest_marker(name) for name in _STARTS_PROCESSES):
        yield
        return
    before, folders = set(_run_processes()), _own_folders()
    yield
    left = _wait_gone(lambda: _new_processes(before))
    _end(left)
    if left:
        pytest.fail("left running:\n" + "\n".join(left.values()), pytrace=False)
    if not before and (kept := _own_folders() - folders):
        pytest.fail(f"left in the temporary folder: {sorted(kept)}", pytrace=False)


def _run_processes() -> dict[int, str]:
    """Process id to command line of every living process that this run started."""
    mark = f"{_RUN_KEY}={os.environ[_RUN_KEY]}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        try:
            if mark in _environment(folder):
                line = (
                    (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
                found[int(folder.name)] = f"{folder.name}: {line[:200]}"
        except OSError:  # it ended meanwhile, or is a zombie, or another user's
            continue
    return found


def _environment(folder: Path) -> bytes:
    """The environment of a process, as /proc has it."""
    text = (folder / "environ").read_bytes()
    if not text and (folder / "exe").exists():
        time.sleep(0.01)  # between fork and exec it is empty for a moment
        text = (folder / "environ").read_bytes()
    return text


def _new_processes(before: set[int]) -> dict[int, str]:
    fresh = {pid: line for pid, line in _run_processes().items() if pid not in before}
    return {pid: line for pid, line in fresh.items() if not _is_below(pid, before)}


def _is_below(pid: int, ancestors: set[int]) -> bool:
    try:
        return any(parent.pid in ancestors for parent in psutil.Process(pid).parents())
    except psutil.Error:
        return False


def _wait_gone(look: Callable[[], dict[int, str]]) -> dict[int, str]:
    deadline_s = time.monotonic() + _GRACE_S
    while (left := look()) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return left


def _end(processes: dict[int, str]) -> None:
    ended = []
    for pid in processes:
        try:
            process = psutil.Process(pid)
            process.kill()
        except psutil.NoSuchProcess:
            continue
        ended.append(process)
    psutil.wait_procs(ended, timeout=2)  # the next test begins without them


def _own_folders() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob("databench*")}


# -- shared ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def repository() -> Path:
    """The project's folder."""
    return _REPOSITORY


@pytest.fixture(scope="session")
def chromium_path() -> str | None:
    """The machine's Chromium; None: Playwright's own download is the one to start."""
    names = ("chromium", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)
