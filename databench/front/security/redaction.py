"""Takes keys out of addresses in texts: addresses are logged, and passed on.

Owns how a key is found in an address. The administrator's token (`access`) and the keys of sessions
(`sessionlinks`) are such keys.
"""

from __future__ import annotations

import re


def compile_key(word: str, *, may_be_empty: bool = False) -> re.Pattern[str]:
    """A pattern of a query's word and its value; its group 1 is all but the value.

    Each letter of the word may be percent-encoded (RFC 3986 section 2.1), and all of it may be the
    value of something else (`?next=%2Fpi%2F%3Fsession%3D…`).

    Args:
        word: The key's name in the query, in small letters.
        may_be_empty: Whether the word without a value is one too.
    """
    letters = "".join(f"(?:{a}|%{ord(a):02x}|%{ord(a.upper()):02x})" for a in word)
    return re.compile(
        rf"((?:[?&;]|%(?:25)*(?:3f|26|3b)){letters}(?:=|%(?:25)*3d))"
        rf"[^&;#\s\"'<>]{'*' if may_be_empty else '+'}",
        re.IGNORECASE,
    )


def hide(key: re.Pattern[str], text: str) -> str:
    """The text without the values of a key, such as a line of a log."""
    return key.sub(r"\1…", text)
