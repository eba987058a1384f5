"""Which files have changed: reads the file system again and compares it with its earlier state.

Owns what a change is: other content. A file that was only touched has none; one that an editor
takes away and puts back has none if it is gone for less than `GONE_S`. Hidden files, bytecode
and backups do not count. Events of the system are only the reason to look: a lost or doubled one
does no harm.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import importlib.util
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...config import OTHERS_FOLDERS

GONE_S = 0.3
DIGEST_BYTES = 4 * 2**20  # of a larger file its time and size are compared
_MAGIC = re.compile(r"[*?\[]")

_SOURCES = (
    ".c .cc .clj .cpp .cs .erl .ex .exs .f90 .go .h .hpp .hs .java .jl .js .kt .lua .m .mjs .ml"
    " .nim .php .pl .py .pyx .r .rb .rs .scala .sh .sql .swift .ts .zig"
)
_PAGES = ".css .gif .htm .html .jpeg .jpg .js .md .mjs .png .rst .svg .webp"
SOURCE_ENDINGS = frozenset(_SOURCES.split())
PAGE_ENDINGS = frozenset(_PAGES.split())
_ENDINGS = SOURCE_ENDINGS | PAGE_ENDINGS | {".yaml", ".yml"}

Token = tuple[str, str]  # why a file is checked: "folder", "glob" or "file", and which


@dataclass(frozen=True)
class ScanPlan:
    """What to look at; all paths are absolute.

    Attributes:
        folders: Each with all below it.
        globs: Patterns, in which `**` is any number of folders.
        files: Single files by their dependents, each with the Unix time since which it may
            have been read in another form, or `None`.
    """

    folders: frozenset[str] = frozenset()
    globs: frozenset[str] = frozenset()
    files: frozenset[tuple[str, str, float | None]] = frozenset()

    @property
    def tokens(self) -> frozenset[Token]:
        """Every reason to look at a file."""
        return (
            frozenset(("folder", folder) for folder in self.folders)
            | frozenset(("glob", pattern) for pattern in self.globs)
            | frozenset(("file", path) for _, path, _ in self.files)
        )


@dataclass(frozen=True)
class Scan:
    """The result of a look.

    Attributes:
        changed: Files with other content, new ones and gone ones, with why they are checked.
        gone: Those of them that are gone.
        late: Pairs of a dependent and a file: it was changed after it may have been
            read, and before the first look.
    """

    changed: dict[str, frozenset[Token]] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    late: frozenset[tuple[str, str]] = frozenset()


@dataclass(slots=True)
class _Mark:
    """A file as it was: `key` (time, size, place) shows whether its digest must be made again.

    `modified_s` is when its content came to be, as far as was seen.
    """

    key: tuple[int, int, int]
    digest: bytes
    modified_s: float
    tokens: frozenset[Token]
    gone_s: float | None = None


class Scanner:
    """Remembers files and finds what changed; not safe for threads.

    Args:
        folder_limit: The most folders that are checked.

    Attributes:
        folders: Those that the last look went through: an event in them is a reason for another.
        is_cut: Whether there were more folders than the limit.
    """

    def __init__(self, folder_limit: int) -> None:
        self.folders: frozenset[str] = frozenset()
        self.is_cut = False
        self._folder_limit = folder_limit
        self._marks: dict[str, _Mark] = {}
        self._plan = ScanPlan()
        self._suspected: set[tuple[str, str, bytes]] = set()

    @property
    def is_waiting(self) -> bool:
        """Whether a file is gone that may come back in a moment."""
        return any(mark.gone_s is not None for mark in self._marks.values())

    def locate(self, plan: ScanPlan) -> None:
        """Find the folders of a plan, and look at no file yet."""
        self.folders = frozenset(self._find(plan)[1])

    def scan(self, plan: ScanPlan, now_s: float) -> Scan:
        """Look at everything.

        Files that are new in the plan count as unchanged.

        Args:
            plan: What to look at.
            now_s: The monotonic clock.
        """
        before = self._plan.tokens
        found, folders = self._find(plan)
        changed: dict[str, frozenset[Token]] = {}
        present: set[str] = set()
        for path, tokens in found.items():
            status = _stat(path)
            if status is None:
                continue
            present.add(path)
            if self._is_changed(path, status, tokens, is_new=bool(tokens & before)):
                changed[path] = tokens
        gone = self._find_gone(present, plan.tokens, now_s)
        late = self._find_late(plan.files - self._plan.files)
        self._plan, self.folders = plan, frozenset(folders)
        return Scan({**changed, **gone}, frozenset(gone), late)

    def _find(self, plan: ScanPlan) -> tuple[dict[str, frozenset[Token]], set[str]]:
        found: dict[str, set[Token]] = {}
        folders: set[str] = set()
        self.is_cut = False
        for root in sorted(plan.folders):
            for folder, names in _walk(root):
                if len(folders) >= self._folder_limit and folder not in folders:
                    self.is_cut = True
                    break
                folders.add(folder)
                for name in names:
                    found.setdefault(os.path.join(folder, name), set()).add(("folder", root))
        for pattern in plan.globs:
            folders.update(_base_of(pattern))
            for path in _expand(pattern):
                found.setdefault(path, set()).add(("glob", pattern))
                folders.add(os.path.dirname(path))
        for _, path, _ in plan.files:
            found.setdefault(path, set()).add(("file", path))
            folders.add(os.path.dirname(path))
        return {path: frozenset(tokens) for path, tokens in found.items()}, folders

    def _is_changed(
        self, path: str, status: os.stat_result, tokens: frozenset[Token], *, is_new: bool
    ) -> bool:
        """Bring the file's mark up to date."""
        key = (status.st_mtime_ns, status.st_size, status.st_ino)
        mark = self._marks.get(path)
        if mark is not None and mark.key == key:
            mark.gone_s, mark.tokens = None, tokens
            return False
        try:
            digest = _digest(path, key)
        except OSError:
            return False  # gone meanwhile, or not ours to read
        is_changed, modified_s = is_new, status.st_mtime
        if mark is not None:
            is_changed = mark.digest != digest
            # A file that was only touched is as old as before.
            modified_s = modified_s if is_changed else mark.modified_s
        self._marks[path] = _Mark(key, digest, modified_s, tokens)
        if is_changed:
            _drop_bytecode(path)
        return is_changed

    def _find_gone(
        self, present: set[str], tokens: frozenset[Token], now_s: float
    ) -> dict[str, frozenset[Token]]:
        gone: dict[str, frozenset[Token]] = {}
        for path in self._marks.keys() - present:
            mark = self._marks[path]
            if not mark.tokens & tokens:
                del self._marks[path]  # no kernel or build asks for it any more
            elif mark.gone_s is None:
                mark.gone_s = now_s
            elif now_s - mark.gone_s >= GONE_S:
                gone[path] = mark.tokens
                del self._marks[path]
        return gone

    def _find_late(
        self, files: frozenset[tuple[str, str, float | None]]
    ) -> frozenset[tuple[str, str]]:
        late: set[tuple[str, str]] = set()
        for owner, path, since_s in files:
            mark = self._marks.get(path)
            if mark is None or since_s is None or mark.modified_s <= since_s:
                continue
            # Once for each content: a file whose time lies in the future stays late forever.
            if (owner, path, mark.digest) not in self._suspected:
                self._suspected.add((owner, path, mark.digest))
                late.add((owner, path))
                _drop_bytecode(path)
        return frozenset(late)


def _drop_bytecode(path: str) -> None:
    """Take away what Python keeps of an older form of a file.

    It takes that for current when time and size agree, and it looks at whole seconds: of two saves
    within one, the second would not be run.
    """
    if not path.endswith(".py"):
        return
    with contextlib.suppress(OSError, NotImplementedError):
        os.unlink(importlib.util.cache_from_source(path))


def _stat(path: str) -> os.stat_result | None:
    """Of a plain file; `None` for anything else."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _walk(root: str) -> Iterator[tuple[str, list[str]]]:
    """Folders, with the names in them that may matter."""
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(n for n in inner if not n.startswith(".") and n not in OTHERS_FOLDERS)
        yield folder, [name for name in names if _may_matter(name)]


def _may_matter(name: str) -> bool:
    return not name.startswith((".", "#")) and os.path.splitext(name)[1].lower() in _ENDINGS


def _base_of(pattern: str) -> Iterator[str]:
    """The folders in which a match of a pattern may come to be, as far as they are there."""
    base = pattern
    while _MAGIC.search(base):
        base = os.path.dirname(base)
    base = base if os.path.isdir(base) else os.path.dirname(base)
    if os.path.isdir(base):
        yield base


def _expand(pattern: str) -> Iterator[str]:
    """What a pattern names. `**` goes into each folder once: links in a circle would not end."""
    if pattern.endswith(f"{os.sep}**"):
        pattern = os.path.join(pattern, "*")
    head, deep, rest = pattern.partition(f"{os.sep}**{os.sep}")
    if not deep:
        yield from glob.iglob(pattern)
        return
    for base in glob.iglob(head or os.sep):
        seen: set[str] = set()
        for folder, inner, _ in os.walk(base, followlinks=True):
            real = os.path.realpath(folder)
            inner[:] = [] if real in seen else [n for n in inner if not n.startswith(".")]
            if real not in seen:
                seen.add(real)
                yield from _expand(os.path.join(glob.escape(folder), rest))


def _digest(path: str, key: tuple[int, int, int]) -> bytes:
    if key[1] > DIGEST_BYTES:
        return repr(key).encode()
    with open(path, "rb") as file:
        # No more than its size: /proc has files of no size whose content never ends.
        return hashlib.blake2b(file.read(key[1]), digest_size=16).digest()
