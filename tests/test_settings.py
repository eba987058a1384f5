"""The table of settings: complete rows, one order of precedence, errors that say what to do."""

import dataclasses
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databench.errors import SettingError
from databench.settings import ROWS, TABLE, Settings, find_row, override, resolve

rows = pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)


@rows
def test_row_is_complete(row):
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", row.name)
    assert row.unit in ("s", "bytes", "count", "bytes/s")
    assert row.help[0].isupper()
    assert row.help.endswith(".")
    assert row.default >= row.minimum
    assert type(row.default) is type(row.minimum), "one type for both"


@rows
def test_row_ends_in_its_unit(row):
    ending = {"s": "_s", "bytes": "_bytes", "bytes/s": "_bytes_per_s"}.get(row.unit)
    if ending:
        assert row.name.endswith(ending)
        assert type(row.default) is (float if row.unit == "s" else int)
    else:
        assert not row.name.endswith(("_s", "_bytes"))
        assert type(row.default) is int


def test_every_name_is_there_once():
    assert len(ROWS) == len(TABLE)
    assert len({row.option for row in TABLE}) == len({row.variable for row in TABLE}) == len(TABLE)


@rows
def test_default_stands_when_nobody_says_otherwise(row):
    assert getattr(Settings(), row.name) == row.default
    assert getattr(resolve(), row.name) == row.default


@rows
def test_every_row_is_set_by_option_variable_and_file_in_that_order(row):
    one, two, three = (row.default + step for step in (1, 2, 3))
    given_ = {
        "options": {row.name: str(one)},
        "environ": {row.variable: str(two), "HOME": "/"},
        "file": {row.name: three},
    }
    assert getattr(resolve(**given_), row.name) == one
    del given_["options"]
    assert getattr(resolve(**given_), row.name) == two
    del given_["environ"]
    assert getattr(resolve(**given_), row.name) == three


def test_names_of_option_and_variable():
    row = ROWS["session_grace_s"]
    assert (row.option, row.variable) == ("--session-grace-s", "DATABENCH_SESSION_GRACE_S")


@rows
def test_minimum_is_taken_and_less_is_refused(row):
    assert row.parse(str(row.minimum), source="x") == row.minimum
    below = row.minimum - 1
    with pytest.raises(SettingError) as caught:
        row.parse(str(below), source="--x")
    assert str(caught.value) == (
        f"{row.name} (--x) is {below} {row.unit}, minimum {row.minimum}; "
        f"the default is {row.default}"
    )
    assert caught.value.name == row.name


@pytest.mark.parametrize(
    "text",
    ["", "many", "1,5", "nan", "inf", "-inf", "1e999", "0x10", "9" * 5000, None, True, [1], {}],
    ids=lambda text: repr(text)[:12],
)
@pytest.mark.parametrize("name", ["ring_messages", "session_grace_s"])
def test_what_is_no_finite_number_is_refused(name, text):
    with pytest.raises(SettingError, match="expected a") as caught:
        ROWS[name].parse(text, source="index.yaml")
    assert ROWS[name].unit in str(caught.value)
    assert caught.value.name == name


def test_fraction_is_no_count():
    for text in ("1.5", 1.5, 2.0):
        with pytest.raises(SettingError, match="expected a whole number in count"):
            ROWS["ring_messages"].parse(text, source="index.yaml")
    assert ROWS["session_grace_s"].parse("1.5", source="x") == 1.5
    assert ROWS["session_grace_s"].parse(2, source="x") == 2.0


@pytest.mark.parametrize(("where", "place"), [("options", "command line"), ("file", "index.yaml")])
def test_unknown_name_tells_the_nearest(where, place):
    with pytest.raises(SettingError) as caught:
        resolve(**{where: {"ring_byte": "1"}})
    assert str(caught.value) == (
        f"there is no setting 'ring_byte' ({place}); did you mean 'ring_bytes'?"
    )
    assert caught.value.name == "ring_byte"


def test_unknown_name_that_is_near_to_none_tells_none():
    with pytest.raises(SettingError, match=r"^there is no setting 'qqqq' \(x\)$"):
        find_row("qqqq", source="x")


def test_unknown_variables_are_left_alone():
    assert resolve(environ={"DATABENCH_NOTHING": "x", "DATABENCH_FRONT": "y"}) == Settings()


def test_error_names_where_the_value_was_written():
    with pytest.raises(SettingError, match=r"\(DATABENCH_RING_BYTES\)"):
        resolve(environ={"DATABENCH_RING_BYTES": "x"})
    with pytest.raises(SettingError, match=r"\(--ring-bytes\)"):
        resolve(options={"ring_bytes": "x"})
    with pytest.raises(SettingError, match=r"\(index\.yaml\)"):
        resolve(file={"ring_bytes": "x"})


def test_wrong_value_is_refused_even_where_another_one_would_win():
    with pytest.raises(SettingError):
        resolve(options={"ring_bytes": "99999"}, file={"ring_bytes": "x"})


def test_settings_are_looked_up_by_name_and_know_all_of_their_values():
    chosen = Settings(ring_messages=7)
    assert chosen.ring_messages == 7
    assert set(chosen.values) == set(ROWS)
    with pytest.raises(AttributeError, match="'ring_message'"):
        chosen.ring_message  # noqa: B018
    with pytest.raises(dataclasses.FrozenInstanceError):
        chosen.ring_messages = 8


def test_overridden_settings_are_others_and_a_misspelt_name_tells_the_nearest():
    base = Settings(ring_messages=7)
    changed = override(base, {"ring_bytes": 5000})
    assert (changed.ring_messages, changed.ring_bytes, base.ring_bytes) == (7, 5000, 4 * 2**20)
    assert override(base, {}) is base
    with pytest.raises(SettingError, match="did you mean 'ring_messages'"):
        override(base, {"ring_mesages": 7})


@rows
def test_the_type_of_a_field_is_that_of_its_default(row):
    types = {field.name: field.type for field in dataclasses.fields(Settings)}
    assert types[row.name] == type(row.default).__name__


@pytest.mark.slow
def test_a_misspelt_limit_is_an_error_for_mypy(tmp_path):
    (tmp_path / "wrong.py").write_text(
        "from databench.settings import Settings\nprint(Settings().ring_message)\n"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path), str(tmp_path / "wrong.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 1
    assert '"Settings" has no attribute "ring_message"' in checked.stdout


@settings(deadline=None, database=None)
@given(st.sampled_from(TABLE), st.one_of(st.text(), st.integers(), st.floats(), st.none()))
def test_any_value_is_one_of_the_type_within_its_minimum_or_refused(row, value):
    try:
        parsed = row.parse(value, source="x")
    except SettingError:
        return
    assert type(parsed) is type(row.default)
    assert row.minimum <= parsed < float("inf")


def test_what_no_other_part_can_hold_is_an_error():
    with pytest.raises(SettingError, match="maximum 9007199254740992; the default is"):
        ROWS["kernel_message_bytes"].parse(2**64, source="--kernel-message-bytes")
