"""Words of the command line and of the environment that look like misspelt options or settings.

Everything from the first unknown option on goes to the analyses, so a typo would hand over all
words after it. A word that is almost certainly an option is refused; a similar one is named.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from ... import settings
from ...errors import SettingError


def find(cli_args: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Words that look like a setting and are not one: they have no effect.

    Args:
        cli_args: What goes to the analyses: everything from the first unknown option on.
        environ: The environment.

    Raises:
        SettingError: The first word is a slip of the keys away from an option: it was most
            probably meant for Databench.
    """
    if option := find_slip(cli_args):
        raise SettingError(
            f"there is no option {cli_args[0]!r}; did you mean {option!r}? "
            f"If it is for the analyses, write -- before it: databench -- {cli_args[0]}",
            name="option",
        )
    found = []
    word = cli_args[0].partition("=")[0] if cli_args else ""
    options = [row.option for row in settings.TABLE] + settings.OPTIONS
    if word.startswith("--") and (near := difflib.get_close_matches(word, options, 1, 0.75)):
        found.append(
            f"{word!r} and all words after it go to the analyses; did you mean {near[0]!r}? "
            "(if not, write -- before it)"
        )
    variables = [row.variable for row in settings.TABLE]
    for name in environ:
        if name.startswith("DATABENCH_") and name not in variables:
            if near := difflib.get_close_matches(name, variables, 1, 0.85):
                found.append(f"{name} is not a setting and is ignored; did you mean {near[0]}?")
    return found


def find_slip(cli_args: Sequence[str]) -> str:
    """The option that the first word for the analyses is a slip of the keys away from, if any.

    Two letters in the wrong order, one that is missing, one that is there twice: an analysis'
    own option hardly ever looks so.

    Args:
        cli_args: What goes to the analyses: everything from the first unknown option on.
    """
    word = cli_args[0].partition("=")[0] if cli_args else ""
    options = [row.option for row in settings.TABLE] + settings.OPTIONS
    return next((option for option in options if word in _make_slips(option)), "")


def _make_slips(option: str) -> set[str]:
    places = range(2, len(option))  # behind the dashes
    swapped = (option[:at] + option[at : at + 2][::-1] + option[at + 2 :] for at in places)
    missing = (option[:at] + option[at + 1 :] for at in places)
    doubled = (option[: at + 1] + option[at:] for at in places)
    return {*swapped, *missing, *doubled} - {option}
