"""Results in words for the terminal, and as JUnit's XML for programs. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from ..printable import clean_line
from ..protocol import messages as m
from .case import Case, Result

_WORDS = {"passed": "ok", "failed": "FAIL", "skipped": "skip"}
_INDENT = " " * 8
_FRAMES, _OUTPUT = 30, 10  # lines of a failure that are shown
# XML 1.0 has no place for these: https://www.w3.org/TR/xml/#charsets
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def compose_result(result: Result, *, is_verbose: bool) -> list[str]:
    """The lines about one case.

    Args:
        result: How it ended.
        is_verbose: Whether frames and output are shown of each case, not of failures alone.
    """
    case = result.case
    lines = [f"  {_WORDS[result.outcome]:<4}  {case.name:<17} {case.title} ({case.section})"]
    if result.text:
        lines.append(_INDENT + clean_line(result.text))
    if is_verbose or result.outcome == "failed":
        lines += _compose_evidence("messages", result.frames, None if is_verbose else _FRAMES)
        lines += _compose_evidence("output", result.output, None if is_verbose else _OUTPUT)
    return lines


def _compose_evidence(words: str, found: Sequence[str], most: int | None) -> list[str]:
    if not found:
        return []
    shown = found if most is None or len(found) <= most else found[-most:]
    cut = "" if len(shown) == len(found) else f" (the last {len(shown)} of {len(found)})"
    return [f"{_INDENT}{words}{cut}:", *(f"{_INDENT}  {clean_line(line)}" for line in shown)]


def compose_summary(results: Sequence[Result], hello: m.Hello | None) -> list[str]:
    """The last lines: who was tested, how many cases ended how, what to mend first."""
    counts = {word: sum(r.outcome == word for r in results) for word in _WORDS}
    time_s = sum(result.time_s for result in results)
    lines = [""]
    if hello is not None:
        who = clean_line(f"{hello.language}, {hello.library}")
        lines.append(f"{who}; capabilities: {clean_line(' '.join(hello.capabilities)) or 'none'}")
    counted = ", ".join(f"{count} {word}" for word, count in counts.items())
    lines.append(f"{counted} in {time_s:.1f} s")
    failed = [result.case.name for result in results if result.outcome == "failed"]
    if failed:
        lines.append(f"mend {failed[0]} first: later cases build on earlier ones")
    return lines


def compose_list(cases: Sequence[Case]) -> list[str]:
    """Every case as a line, below its topic."""
    lines: list[str] = []
    topic = ""
    for case in cases:
        if case.topic != topic:
            topic = case.topic
            lines.append(topic)
        need = f" [{case.capability}]" if case.capability else ""
        lines.append(f"  {case.name:<17} {case.title} ({case.section}){need}")
    return lines


def compose_junit(name: str, results: Sequence[Result]) -> bytes:
    """The results as JUnit's XML, in UTF-8.

    Args:
        name: The kernel's.
        results: All.
    """
    suite = ElementTree.Element(
        "testsuite",
        name=_clean_xml(f"kernel-test {name}"),
        tests=str(len(results)),
        failures=str(sum(result.outcome == "failed" for result in results)),
        skipped=str(sum(result.outcome == "skipped" for result in results)),
        errors="0",
        time=f"{sum(result.time_s for result in results):.3f}",
    )
    for result in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=result.case.topic,
            name=result.case.name,
            time=f"{result.time_s:.3f}",
        )
        _add_outcome(case, result)
    text: bytes = ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)
    return text


def _add_outcome(element: ElementTree.Element, result: Result) -> None:
    message = _clean_xml(result.text)
    if result.outcome == "skipped":
        ElementTree.SubElement(element, "skipped", message=message)
    elif result.outcome == "failed":
        failure = ElementTree.SubElement(element, "failure", message=message)
        failure.text = _clean_xml("\n".join([*result.frames, *result.output]))


def _clean_xml(text: str) -> str:
    return _NO_XML.sub("?", text)
