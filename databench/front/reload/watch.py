"""Watches files, and carries out what a save means.

Theory of operation: a thread waits for the system's events, checks the files again (`scan`) and
hands the changes to the loop, where `changes` decides. An event is only a reason to look, and the
thread checks the files every `watch_scan_s` anyway: so a lost event, a file system without
events, or a system that has none to give hides no save for long. A burst of saves is checked
when it is over. Only the thread touches disks, except for templates and `index.yaml`, which
the front reads itself.
"""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import glob
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from watchfiles._rust_notify import RustNotify  # documented: https://watchfiles.helpmanual.io

from ...config import INDEX_FILE, Entry, Index, prepare
from ...protocol.lifecycle import LIVE
from ...threads import NO_THREAD, can_start
from ..content import offeredactions
from ..context import FrontContext
from ..folders import Place
from . import affected, changes
from .rewrites import Rewrites
from .scan import PAGE_ENDINGS, Scan, Scanner, ScanPlan

log = logging.getLogger("databench.front")

PACKAGE = Path(__file__).resolve().parents[2]
STEP_MS = 10  # the library looks this often whether events came
QUIET_MS = 25  # a burst is over after this
BURST_S = 0.5  # and is checked after this in any case
GONE_LOOK_MS = 100
FIRST_LOOK_S = 10.0
_THREADS = 2  # the library starts one
_LIVE = frozenset(state.value for state in LIVE)


class Watcher:
    """Watches what a front serves.

    Args:
        context: The front's; its index names what to watch.
        on_index: Reads `index.yaml` and the folders again.
        on_own: Called with Databench's own files that were saved; `None`: they are not watched.
        place: The folder of analyses, whose project may have kernel specs of its own.
    """

    def __init__(
        self,
        context: FrontContext,
        *,
        on_index: Callable[[], None],
        on_own: Callable[[list[str]], None] | None = None,
        place: Place | None = None,
    ) -> None:
        self._context = context
        self._place = None if place is None or place.is_packaged else place
        self._on_index = on_index
        self._on_own = on_own
        self._scanner = Scanner(context.limits.watched_folders)
        self._interval_s: float = context.limits.watch_scan_s
        self._quiet_s: float = context.limits.reload_quiet_s
        limit, window_s = context.limits.reload_limit, context.limits.reload_window_s
        self._rewrites = Rewrites(limit, window_s, self._quiet_s)
        self._plan = ScanPlan()
        self._renewals: set[asyncio.Future[None]] = set()
        self._is_stopped = False
        self._is_cut = False
        self._wake = threading.Event()  # stops the wait for events: there is a new plan, or the end
        self._looked = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="databench-watch", daemon=True)

    async def start(self) -> None:
        """Begin, and wait for the first look: later saves are seen."""
        self._loop = asyncio.get_running_loop()
        self._context.broker.watch_sources(self._on_sources)
        self._context.builder.on_faults = self._on_faults
        self._plan = self._make_plan()
        try:
            self._thread.start()
        except RuntimeError:
            self._context.is_watched = False
            log.warning(
                "Databench does not notice saved files: %s. Raise the limit and restart Databench",
                NO_THREAD,
            )
            return
        try:
            await asyncio.wait_for(self._looked.wait(), FIRST_LOOK_S)
        except asyncio.TimeoutError:
            log.warning("scanning the files takes more than %g s; serving meanwhile", FIRST_LOOK_S)
        if not self._is_stopped:
            self._read_index()  # saves between its first reading and the first look

    def stop(self) -> None:
        """End the thread; nothing is seen any more."""
        self._is_stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def renew(self) -> None:
        """The files to watch may have changed."""
        plan = self._make_plan()
        if plan != self._plan:
            self._plan = plan
            self._wake.set()

    # ------------------------------------------------------------ on the loop

    def _on_sources(self, _analysis: str) -> None:
        self.renew()

    def _make_plan(self) -> ScanPlan:
        index = self._context.index
        folders, globs = _find_folders(index)
        globs |= self._find_program_globs()
        if self._on_own is not None:
            folders.add(str(PACKAGE))
        if self._place is not None:
            folders.add(str(self._place.kernels))
        files: set[tuple[str, str, float | None]] = set()
        for analysis in self._analyses():
            globs |= analysis.globs
            for path, since_s in self._sources(analysis.name).items():
                files.add((analysis.name, path, since_s))
        return ScanPlan(frozenset(folders), frozenset(globs), frozenset(files))

    def _find_program_globs(self) -> frozenset[str]:
        """Where the programs belong that broken analyses may lack."""
        globs: set[str] = set()
        if self._place is None:
            return frozenset()
        for entry in self._context.index.entries.values():
            spec = self._context.broker.kernelspecs.get(entry.kernel) if entry.problems else None
            if spec is not None:  # whether its program is there now does not matter: it just came
                globs.update(map(glob.escape, spec.find_places(entry.folder, self._place.root)))
        return frozenset(globs)

    def _find_kernel_folder(self, entry: Entry) -> str:
        if self._place is None:
            return ""
        spec = self._context.broker.kernelspecs.get(entry.kernel)
        folder = spec.file.parent if spec and spec.file else None
        return str(folder) if folder and folder.parent == self._place.kernels else ""

    def _sources(self, name: str) -> Mapping[str, float | None]:
        return self._context.broker.sources(name) or {}

    def _analyses(self) -> Iterator[changes.AnalysisFiles]:
        index, broker = self._context.index, self._context.broker
        for entry in index.entries.values():
            sources = broker.sources(entry.name)
            yield changes.AnalysisFiles(
                entry.name,
                str(entry.folder),
                globs=frozenset(
                    os.path.normpath(index.folder / pattern)
                    for pattern in (*index.watch, *entry.watch)
                ),
                sources=None if sources is None else frozenset(sources),
                is_ready=broker.kernel_state(entry.name) in _LIVE,
                kernel_folder=self._find_kernel_folder(entry),
                is_broken=bool(entry.problems),
            )

    def _apply(self, scan: Scan) -> None:
        self._looked.set()
        if self._is_stopped or not (scan.changed or scan.late):
            return
        index = self._context.index
        analyses = list(self._analyses())
        steps = changes.judge(
            scan,
            analyses,
            folder=str(index.folder),
            package=str(PACKAGE),
            kernels=str(self._place.kernels) if self._place else "",
            programs=self._find_program_globs(),
        )
        project = frozenset(os.path.normpath(index.folder / pattern) for pattern in index.watch)
        builds = changes.find_builds(scan, analyses, project, str(index.folder))
        try:
            self._context.builder.begin_for(index, builds)
            self._carry_out(steps)
        except Exception:  # a mistake with one save must not end the watching
            log.exception("reloading after a save failed")

    def _carry_out(self, steps: changes.Steps) -> None:
        if steps.own and self._on_own is not None:
            self._on_own(steps.own)
        if steps.reads_index:
            self._read_index()
        for name, files in steps.restarts.items():
            self._restart(name, self._judge_rewrites(name, files))
        if steps.shown:
            self.reload(affected.find_paths(steps.shown, self._context.index))

    def _restart(self, name: str, files: list[str]) -> None:
        entries = self._context.index.entries
        at_once = name in entries and entries[name].reload == "at once"
        if files:
            self._context.broker.change_code(name, self._tell(files), at_once=at_once)
            if name in self._context.offered and name in entries:
                task = asyncio.ensure_future(self._renew_offered(entries[name]))
                self._renewals.add(task)
                task.add_done_callback(self._renewals.discard)

    async def _renew_offered(self, entry: Entry) -> None:
        """A page that is made from the source reloads if its buttons have changed."""
        found = await asyncio.to_thread(offeredactions.find_offered, entry)
        if not self._is_stopped and found != self._context.offered.get(entry.name):
            self._context.offered[entry.name] = found
            self.reload(affected.first_paths(entry, self._context.index))

    def _judge_rewrites(self, name: str, files: list[str]) -> list[str]:
        """The files that restart the kernel, without those that it writes itself."""
        is_starting = self._context.broker.kernel_state(name) == "starting"
        now_s = self._loop.time()
        going, muted = self._rewrites.judge(name, files, now_s, is_starting=is_starting)
        for path in muted:
            log.warning(
                "%s was written again after each of the last %d restarts of %r: the analysis seems "
                "to write this file itself. The file causes no more restarts until it has not "
                "changed for %g s. Write it elsewhere, or only when its content changes",
                self._tell([path]),
                self._context.limits.reload_limit,
                name,
                self._quiet_s,
            )
        self._loop.call_later(self._quiet_s, self._restart_quiet)
        return going

    def _restart_quiet(self) -> None:
        if not self._is_stopped:
            for name, files in self._rewrites.take_quiet(self._loop.time()).items():
                self._restart(name, files)

    def _on_faults(self, names: list[str]) -> None:
        """Another build fails, or none any more: update the pages."""
        entries = self._context.index.entries.values()
        concerned = [entry for entry in entries if "" in names or entry.name in names]
        paths = {path for entry in concerned for path, _ in affected.page_paths(entry)}
        self.reload(sorted({"/", *paths}) if names else [])

    def _read_index(self) -> None:
        before = self._describe()
        index = self._context.index
        self._on_index()
        after = self._describe()
        self.renew()
        changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        entries = {**index.entries, **self._context.index.entries}
        paths = {path for key in changed if key for path, _ in affected.page_paths(entries[key])}
        if changed:
            self.reload(sorted({"/", *paths}))

    def _describe(self) -> dict[str, object]:
        """The problems that pages show of each analysis, and under "" of all of them."""
        index = self._context.index
        shared = (index.title, index.version, index.author, index.description_html)
        each = {n: (e, self._context.find_faults(n), shared) for n, e in index.entries.items()}
        return {"": dataclasses.replace(index, entries={}), **each}

    def reload(self, paths: list[str]) -> None:
        """Report to pages that files at these paths were changed."""
        if paths:
            frame = self._context.saves.add(paths)
            self._context.broker.announce(frame)
            self._context.followers.announce(frame)

    def _tell(self, files: list[str]) -> str:
        root = str(self._context.index.folder.parent)
        first = os.path.relpath(files[0], root) if files[0].startswith(root) else files[0]
        return first if len(files) == 1 else f"{first} and {len(files) - 1} more"

    # ------------------------------------------------------------ in the thread

    def _run(self) -> None:
        is_told = False
        while not self._is_stopped:
            self._wake.clear()
            self._scanner.locate(self._plan)
            try:
                with self._listen() as events:
                    self._settle(events)  # the plan may be new in the middle of a burst
                    self._wait(events)
            except (OSError, RuntimeError) as error:  # the library's own error is the latter
                if not is_told:  # also when a folder went away just now
                    log.warning("%s", explain(error, self._interval_s))
                is_told = True
                self._look()
                self._wake.wait(self._interval_s)

    def _listen(self) -> RustNotify:
        folders = [folder for folder in sorted(self._scanner.folders) if os.path.isdir(folder)]
        if not can_start(_THREADS):
            raise RuntimeError(NO_THREAD)  # the library would end the process
        is_polling = bool(os.environ.get("WATCHFILES_FORCE_POLLING"))
        return RustNotify(folders, False, is_polling, 300, False, True)

    def _wait(self, events: RustNotify) -> None:
        """Look at the files whenever something happens, until there is another plan."""
        folders = self._scanner.folders
        while not self._wake.is_set() and self._scanner.folders == folders:
            limit_ms = int(1000 * self._interval_s)
            limit_ms = min(limit_ms, GONE_LOOK_MS) if self._scanner.is_waiting else limit_ms
            happened = events.watch(STEP_MS, STEP_MS, limit_ms, self._wake)
            if isinstance(happened, set):
                self._settle(events)
            elif happened == "timeout":
                self._look()

    def _settle(self, events: RustNotify) -> None:
        """Wait for the end of a burst, and look at the files; not when there is another plan."""
        until_s = time.monotonic() + BURST_S
        happened: object = set()
        while isinstance(happened, set) and time.monotonic() < until_s:
            happened = events.watch(STEP_MS, STEP_MS, QUIET_MS, self._wake)
        if not self._wake.is_set():
            self._look()

    def _look(self) -> None:
        scan = self._scanner.scan(self._plan, time.monotonic())
        if self._scanner.is_cut and not self._is_cut:
            limit = self._context.limits.watched_folders
            log.warning(
                "more than %d folders, the limit (watched_folders); not all are watched", limit
            )
        self._is_cut = self._scanner.is_cut
        for path in scan.changed:
            if os.path.basename(path) == INDEX_FILE:
                prepare(Path(path))
        try:
            self._loop.call_soon_threadsafe(self._apply, scan)
        except RuntimeError:
            self._is_stopped = True  # the loop is closed: the server has ended


def explain(error: Exception, interval_s: float, root: Path = Path("/proc/sys")) -> str:
    """Why the system gives no events, and what helps.

    Args:
        error: From the library, which has the system's number in its text alone.
        interval_s: How often the files are checked.
        root: Where the kernel's limits are to be read.
    """
    wanted = {
        f"os error {errno.EMFILE}": "fs.inotify.max_user_instances",
        f"os error {errno.ENOSPC}": "fs.inotify.max_user_watches",
        "watch limit": "fs.inotify.max_user_watches",
    }
    name = next((name for part, name in wanted.items() if part in str(error)), None)
    seen = f"Databench checks for saved files every {interval_s:g} s instead of at once: "
    if name is None:
        return f"{seen}{error}"
    try:
        limit = f"the limit is {int(root.joinpath(*name.split('.')).read_text())}"
    except (OSError, ValueError):
        limit = "the limit is reached"
    thing = "instance" if "instances" in name else "watch"
    return (
        f"{seen}no inotify {thing} is left for this user ({limit}; editors and notebooks use "
        f"them too). Raise {name}, for example with sysctl -w"
    )


def _find_folders(index: Index) -> tuple[set[str], set[str]]:
    """The folders to watch with all below them, and patterns for other files.

    A script's folder may hold anything, it may be a home folder: there, only its own files are
    watched.
    """
    folders = {str(index.folder), *(str(entry.folder) for entry in index.entries.values())}
    globs: set[str] = set()
    if index.is_script:
        globs = {f"{glob.escape(folder)}/*{end}" for folder in folders for end in PAGE_ENDINGS}
        folders = {os.path.join(folder, "static") for folder in folders}
    for _, folder in index.static:
        for root in (index.folder / folder, Path.cwd() / folder):
            folders.add(os.path.normpath(root))
    if index.is_script:
        folders -= {str(index.folder), str(Path.cwd())}
    return folders, globs


def is_editable(package: Path = PACKAGE) -> bool:
    """Whether Databench runs from a checkout, whose code may be under development."""
    return not {"site-packages", "dist-packages"} & set(package.parts) and (
        (package.parent / ".git").exists()
    )
