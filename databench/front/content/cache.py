"""Answers that are kept in memory: pages that have not changed, and small files.

A page is kept only if it is the same for every visitor. The names that its template reads decide
that (`templatereads`), never what it happened to show: a template that could see the visitor, the
request or anything computed runs for each request. For everything else of which a page is made, the
front compares its present state with that of its making: the files (`sources`), and its own state
(`Circumstances`), such as the count of saves. Headers do not count: each answer gets its own.

The bytes are bounded (`kept_bytes`); the answer that was not asked for the longest goes first.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any

from . import encodings, templatereads
from .sources import PageSources

Circumstances = tuple[Any, ...]

_EACH_PART = 16  # no answer takes more than this part of all
_OVERHEAD_BYTES = 1000  # of an answer, in addition to its body and its sources
# Shorter ones are compressed on the loop, in less than a millisecond.
_INLINE_BYTES = 2**14
# At most so many are compressed at a time: each holds a body, which may not be kept any more then.
_MOST_AT_ONCE = 2
_SCALARS = {str, int, float, bool, bytes, type(None)}


class Answer:
    """A body that is ready to be sent.

    Args:
        body: As it is.
        kind: Its `Content-Type`.
        sources: What it was made of.
        circumstances: What the front knew then.
        headers: Further ones that depend on nothing else.

    Attributes:
        tag: A word that names the content.
        pays: Whether it is worth compressing.
    """

    def __init__(
        self,
        body: bytes,
        kind: str,
        sources: PageSources,
        circumstances: Circumstances = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.body = body
        self.kind = kind
        self.sources = sources
        self.circumstances = circumstances
        self.headers = headers or {}
        self.tag = find_tag(body)
        self.pays = encodings.pays(kind, len(body))
        self.forms: dict[str, bytes] = {}
        self.making: dict[str, asyncio.Task[None]] = {}

    @property
    def size_bytes(self) -> int:
        """The memory that it takes."""
        own_bytes = _OVERHEAD_BYTES + self.sources.size_bytes + len(self.body)
        return own_bytes + sum(map(len, self.forms.values()))


class Kept:
    """Keeps answers.

    Args:
        limit_bytes: For all of them.
        interval_s: For how long an answer that was found to be unchanged is so.
        clock: The monotonic one.

    Attributes:
        interval_s: The same; may be changed.
    """

    def __init__(self, limit_bytes: int, interval_s: float, clock: Callable[[], float]) -> None:
        self._limit_bytes = limit_bytes
        self.interval_s = interval_s
        self._clock = clock
        self._answers: dict[Hashable, Answer] = {}  # the latest request's is last
        self._making = 0  # threads that compress
        self.size_bytes = 0

    @property
    def most_bytes(self) -> int:
        """The longest body that is kept."""
        return self._limit_bytes // _EACH_PART - _OVERHEAD_BYTES

    def find(self, key: Hashable, circumstances: Circumstances = ()) -> Answer | None:
        """The answer under a key, if it would be made in the same way now."""
        answer = self._answers.pop(key, None)
        if answer is None:
            return None
        is_same = answer.circumstances == circumstances
        if is_same:
            answer.circumstances = circumstances  # equal ones are compared faster when they are one
        if is_same and answer.sources.are_unchanged(
            now_s=self._clock(), interval_s=self.interval_s
        ):
            self._answers[key] = answer
            return answer
        self.size_bytes -= answer.size_bytes
        return None

    def keep(self, key: Hashable, answer: Answer) -> None:
        """Keep it, unless it is too long, or a save just now might not be seen."""
        self._drop(key)
        if len(answer.body) > self.most_bytes or not answer.sources.is_settled:
            return
        self._answers[key] = answer
        self._grow(answer.size_bytes)

    def find_form(self, key: Hashable, answer: Answer, accepted: str) -> tuple[bytes, str] | None:
        """The body as a browser takes it.

        Args:
            key: Of the answer.
            answer: The answer.
            accepted: The header `Accept-Encoding`.

        Returns:
            The bytes, and the `Content-Encoding`, empty: as it is. `None`: `make_form` first.
        """
        encoding = encodings.choose(accepted) if accepted and answer.pays else ""
        if not encoding or self._answers.get(key) is not answer:
            return answer.body, ""
        form = answer.forms.get(encoding)
        if form is None and len(answer.body) <= _INLINE_BYTES:
            form = encodings.encode(answer.body, encoding)
            self._take_form(key, answer, encoding, form)
        if form is None:
            return None
        return (form, encoding) if form else (answer.body, "")

    async def make_form(self, key: Hashable, answer: Answer, accepted: str) -> tuple[bytes, str]:
        """As `find_form`, which has found none: a thread makes it, once for all waiting requests.

        While others are made it is sent as it is: a crowd that asks for many files would have all
        of them held until their turn comes.
        """
        encoding = encodings.choose(accepted)
        task = answer.making.get(encoding)
        if task is None:
            if self._making >= _MOST_AT_ONCE:
                return answer.body, ""
            self._making += 1
            task = asyncio.ensure_future(self._make_in_thread(key, answer, encoding))
            answer.making[encoding] = task
        await asyncio.shield(task)
        form = answer.forms.get(encoding, b"")
        return (form, encoding) if form else (answer.body, "")

    async def _make_in_thread(self, key: Hashable, answer: Answer, encoding: str) -> None:
        try:
            form = await asyncio.to_thread(encodings.encode, answer.body, encoding)
        except RuntimeError:  # the system allows no thread, or the server ends
            return
        finally:
            self._making -= 1
            answer.making.pop(encoding, None)
        self._take_form(key, answer, encoding, form)

    def _take_form(self, key: Hashable, answer: Answer, encoding: str, form: bytes) -> None:
        is_kept = self._answers.get(key) is answer
        before = answer.size_bytes
        answer.forms[encoding] = form
        if is_kept:
            self._grow(answer.size_bytes - before)

    def _grow(self, change_bytes: int) -> None:
        self.size_bytes += change_bytes
        while self.size_bytes > self._limit_bytes and self._answers:
            self._drop(next(iter(self._answers)))

    def _drop(self, key: Hashable) -> None:
        answer = self._answers.pop(key, None)
        if answer is not None:
            self.size_bytes -= answer.size_bytes


def find_tag(body: bytes) -> str:
    """A word that names a content: for its address and its `ETag`."""
    return hashlib.sha256(body).hexdigest()[:16]


def may_keep(
    read: frozenset[str] | None, namespace: Mapping[str, Any], given: Collection[str]
) -> bool:
    """Whether a template makes the same for every visitor.

    Args:
        read: The names on which it depends, from `templatereads.find_reads`.
        namespace: All names that it may use.
        given: Those that depend on files and circumstances alone.
    """
    if read is None or any(name in namespace for name in templatereads.FUNCTIONS):
        return False  # a value under a harmless function's name is not harmless
    return all(name in given or name not in namespace for name in read)


def are_constant(values: Mapping[str, Any]) -> bool:
    """Whether values that a script gives to its page cannot change, or change anything."""
    # Of exactly these types: a class of a script may print something else each time.
    return all(type(value) in _SCALARS for value in values.values())
