"""What a script says of itself, in the place of `index.yaml`."""

from pathlib import Path

import pytest

from databench.config import of_script
from databench.errors import SettingError


def index(info=None, static=None, is_at_root=True):
    file = Path("/a/pi.py")
    found, warnings = of_script(
        file, file.parent, "pi", title="Pi", info=info or {}, static=static, is_at_root=is_at_root
    )
    assert warnings == []
    return found


def test_a_script_that_says_nothing_has_its_name():
    found = index()
    entry = found.entries["pi"]
    assert (found.single, found.title, entry.title, entry.kernel) == ("pi", "Pi", "Pi", "py")
    assert (entry.file, entry.folder, entry.problems) == (Path("/a/pi.py"), Path("/a"), ())


def test_keys_are_those_of_an_analysis_and_the_rest_is_for_its_page():
    found = index(
        {
            "title": "T",
            "description": None,
            "version": 1.10,
            "author": "A",
            "readme": "# R",
            "google_analytics": None,
            "resolution": 0.4,
        }
    )
    entry = found.entries["pi"]
    assert (found.title, found.version, found.author) == ("T", "1.1", "A")
    assert (entry.title, entry.version, entry.readme, entry.description) == (
        "T",
        "1.1",
        "# R",
        None,
    )
    assert entry.extra == {"google_analytics": None, "resolution": 0.4}


def test_a_value_of_a_library_is_shown_as_its_text():
    class Version:
        def __str__(self):
            return "1.2+cpu"

    assert index({"version": Version()}).version == "1.2+cpu"


def test_below_the_gallery_a_script_leaves_it_its_title():
    found = index({"title": "T"}, is_at_root=False)
    assert (found.single, found.title, found.entries["pi"].title) == (None, "Databench", "T")


@pytest.mark.parametrize(
    ("info", "static", "complaint"),
    [
        ({"title": True}, None, "title is True, expected text"),
        ({"thumbnail": "../x.png"}, None, "thumbnail is '../x.png', expected a file below"),
        ({"reload": "never"}, None, "reload is 'never', expected one of when idle, at once"),
        ({}, {"files/.*": "."}, "static is .*'files/.*' has 0 groups"),
        ({1: "x"}, None, "info: the key 1 is not text"),
        ({}, 3, "static is 3, expected a map"),
    ],
)
def test_what_a_key_does_not_take_is_an_error(info, static, complaint):
    with pytest.raises(SettingError, match=complaint):
        index(info, static)


def test_static_folders_are_a_map():
    assert index(static={r"(analysis\.js)": "."}).static == ((r"(analysis\.js)", "."),)


def test_a_key_that_looks_misspelt_is_told():
    _, warnings = of_script(
        Path("/a/pi.py"),
        Path("/a"),
        "pi",
        title="Pi",
        info={"titel": "T"},
        static=None,
        is_at_root=True,
    )
    assert warnings == ["info: only templates get 'titel'; did you mean 'title'?"]
