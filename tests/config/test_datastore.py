"""`datastore:` says where state is kept, or ends the start."""

from pathlib import Path

import pytest

from databench.config.datastore import DatastoreChoice
from databench.errors import SettingError

FOLDER = Path("/project/analyses")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("memory", None),
        ("sqlite:///state.db", FOLDER / "state.db"),
        ("sqlite:///../var/state.db", FOLDER / "../var/state.db"),
        ("sqlite:////var/lib/state.db", Path("/var/lib/state.db")),
        ("sqlite:///my%20state.db", FOLDER / "my state.db"),
    ],
)
def test_a_place_is_taken(text, path):
    assert DatastoreChoice(text, 1).find_path(FOLDER) == path


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("redis://localhost", ""),
        ("sqlit:///state.db", " (nearest: 'sqlite')"),
        ("sqlite://state.db", " (nearest: 'sqlite')"),
        ("sqlite:///", " (nearest: 'sqlite')"),
        ("sqlite:///folder/", " (nearest: 'sqlite')"),
        ("state.db", ""),
        ("{'url': 'redis'}", ""),
    ],
)
def test_anything_else_ends_the_start_with_file_and_line(text, hint):
    with pytest.raises(SettingError) as info:
        DatastoreChoice(text, 3).find_path(FOLDER)
    assert str(info.value) == (
        f"/project/analyses/index.yaml:3: datastore is {text!r}, expected memory or "
        f"sqlite:///state.db{hint}; not started, because nothing would be kept"
    )


def test_a_file_that_anybody_could_read_ends_the_start(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "static")
    for path in ("static/state.db", "static/a/state.db", "pi/../static/state.db", "link/state.db"):
        with pytest.raises(SettingError, match=r"whose files pages can load; not started"):
            DatastoreChoice(f"sqlite:///{path}", 1).find_path(tmp_path, [tmp_path / "static"])
    assert DatastoreChoice("sqlite:///statics.db", 1).find_path(tmp_path, [tmp_path / "static"])
