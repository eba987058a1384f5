"""`databench new`: what it makes, what it refuses, and what it leaves as it was."""

import os

import pytest
import yaml

from databench import cli, scaffold
from databench.config import load
from databench.errors import SettingError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tree(folder):
    """Every file below a folder, with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_two_short_files_are_made_in_an_empty_folder(here, capsys):
    assert cli.main(["new", "pi"], {}) == 0
    made = tree(here)
    assert set(made) == {"analyses/pi/analysis.py", "analyses/pi/index.html"}
    text = b"\n".join(made.values()).decode()
    assert sum(bool(line.strip()) for line in text.splitlines()) <= 25
    assert "class Pi(databench.Analysis)" in text
    assert "scaffold" not in text.lower()
    told = capsys.readouterr().out
    assert "analyses/pi/analysis.py" in told and "databench" in told.splitlines()[-1]
    assert list(load(here / "analyses").entries) == ["pi"]


def test_older_name_of_the_command_makes_the_same(here):
    assert scaffold.main(["two_words"]) == 0
    assert b"class TwoWords(" in tree(here)["analyses/two_words/analysis.py"]


def test_it_is_made_where_the_analyses_are(here, monkeypatch):
    scaffold.make("one", "py", here=here)
    for inner in (here / "analyses", here / "analyses" / "one"):
        scaffold.make(f"in_{inner.name}", "py", here=inner)
    assert set(load(here / "analyses").entries) == {"one", "in_analyses", "in_one"}


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("a b/../c", "a_b_c"),
        ("static", "my_static"),
        ("_x", "x"),
        ("π", "analysis"),
        ("", "analysis"),
    ],
)
def test_name_that_is_none_is_refused_with_one_that_is(name, near, here, capsys):
    assert cli.main(["new", name], {}) == 2
    assert f"how about '{near}'?" in capsys.readouterr().err
    assert tree(here) == {}
    scaffold.make(near, "py", here=here)


@pytest.mark.parametrize(
    ("name", "class_name"),
    [
        ("my-analysis", "MyAnalysis"),
        ("1st", "Analysis1st"),
        ("class", "Class"),
        ("None", "AnalysisNone"),
    ],
)
def test_name_of_a_folder_that_is_served_can_be_made(name, class_name, here):
    assert scaffold.main([name]) == 0
    text = tree(here)[f"analyses/{name}/analysis.py"].decode()
    assert f"class {class_name}(" in text
    compile(text, "analysis.py", "exec")
    assert name in load(here / "analyses").entries


def test_what_is_there_is_not_overwritten(here, capsys):
    scaffold.make("pi", "py", here=here)
    (here / "analyses" / "pi" / "analysis.py").write_text("mine")
    (here / "analyses" / "gone").symlink_to(here / "nowhere")
    before = tree(here)
    for name in ("pi", "gone"):
        assert cli.main(["new", name], {}) == 2
        assert f"'analyses/{name}' already exists" in capsys.readouterr().err
    assert tree(here) == before


def test_folder_that_cannot_be_written_is_told(here):
    (here / "analyses").write_text("a file")
    with pytest.raises(SettingError, match="'analyses/pi' cannot be created"):
        scaffold.make("pi", "py", here=here)
    assert (here / "analyses").read_text() == "a file"


def test_half_of_an_analysis_is_not_left(here, monkeypatch):
    def fail(*_args):
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(scaffold, "_enter", fail)
    with pytest.raises(SettingError, match="no space left"):
        scaffold.make("pi", "py", here=here)
    assert tree(here) == {}


def test_kernel_that_is_not_there_is_told_with_the_nearest(here, capsys):
    (here / "kernels" / "tiny").mkdir(parents=True)
    (here / "kernels" / "tiny" / "kernel.yaml").write_text("argv: [x]\nprotocol: 1\n")
    (here / "analyses").mkdir()
    assert cli.main(["new", "pi", "--kernel", "tinny"], {}) == 2
    told = capsys.readouterr().err
    assert "there is no kernel 'tinny' (--kernel), known: py, tiny; did you mean 'tiny'?" in told


def test_kernel_whose_spec_cannot_be_used_makes_nothing(here, capsys):
    (here / "kernels" / "tiny").mkdir(parents=True)
    (here / "kernels" / "tiny" / "kernel.yaml").write_text("argv: 5\nprotocol: 1\n")
    before = tree(here)
    assert cli.main(["new", "pi", "--kernel", "tiny"], {}) == 2
    assert "kernels/tiny/kernel.yaml:1: argv is 5" in capsys.readouterr().err
    assert tree(here) == before


def test_kernel_of_another_language_gives_its_template_and_is_entered(here):
    spec = here / "kernels" / "tiny"
    (spec / "scaffold").mkdir(parents=True)
    (spec / "kernel.yaml").write_text("argv: [x]\nprotocol: 1\n")
    (spec / "scaffold" / "analysis.tiny").write_text("ScaffoldPy")
    scaffold.make("old", "py", here=here)
    scaffold.make("pi", "tiny", here=here)
    assert tree(here)["analyses/pi/analysis.tiny"] == b"Pi"
    index = load(here / "analyses", kernels=("py", "tiny"))
    assert {name: entry.kernel for name, entry in index.entries.items()} == {
        "old": "py",
        "pi": "tiny",
    }
    assert index.problems == ()


INDEX = """\
# mine
title: T   # kept

analyses:
  - name: a
    title: A
  # the second
  - b

# the end
version: 1.10
"""


def test_entry_joins_the_list_and_the_rest_stays_as_it_is(here):
    analyses = here / "analyses"
    for name in ("a", "b"):
        (analyses / name).mkdir(parents=True)
        (analyses / name / "analysis.py").touch()
    (analyses / "index.yaml").write_text(INDEX)
    told = scaffold.make("pi", "py", here=here)
    assert "added it to analyses/index.yaml" in told
    after = (analyses / "index.yaml").read_text()
    assert after == INDEX.replace("  - b\n", "  - b\n  - name: pi\n")
    assert list(load(analyses).entries) == ["a", "b", "pi"]


@pytest.mark.parametrize(
    "text",
    [
        "analyses:\n- a\n- b",
        "analyses:\n- a\n- b\n",
        "analyses:\r\n  - name: a\r\n    watch:\r\n      - a/*.py\r\ntitle: T\r\n",
        "title: T\n",
        "",
        "# nothing\n",
        "analyses:\n    -   name: a\n",
        "x: &x\n  name: a\nanalyses:\n  - *x\n",
        "analyses:\n  - name: a\n    readme: |\n      Text\n      # Head\n",
    ],
)
def test_entry_is_added_to_any_list_of_its_own_lines(text):
    after = scaffold.enter(text, ["- name: pi", "  kernel: tiny"], ["other"])
    old, new = yaml.safe_load(text) or {}, yaml.safe_load(after)
    listed = old.get("analyses") or [{"name": "other"}]
    assert new == {**old, "analyses": [*listed, {"name": "pi", "kernel": "tiny"}]}
    assert after.startswith(text.rstrip("\r\n").partition("analyses")[0])
    assert ("\r\n" in text) is ("\r\n" in after)


@pytest.mark.parametrize(
    "text",
    [
        "analyses: [a, b]\n",
        "analyses: {a: null}\n",
        "title: T\n...\n",
        "analyses:\n",
        "analyses:\n  a:\n",
        "- a\n",
    ],
)
def test_entry_that_a_person_must_make_is_left_to_them(text):
    assert scaffold.enter(text, ["- name: pi"]) is None


def test_what_to_add_by_hand_is_told(here):
    (here / "analyses").mkdir()
    for text in ("analyses: []\n", "title: [\n"):
        (here / "analyses" / "index.yaml").write_text(text)
        name = f"pi{len(text)}"
        told = scaffold.make(name, "py", here=here)
        if text.startswith("analyses"):
            assert told[1:3] == [
                "add to 'analyses' in analyses/index.yaml:",
                f"  - name: {name}",
            ]
        assert (here / "analyses" / "index.yaml").read_text() == text


def test_help_of_the_subcommand_says_it_all(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["new", "--help"], {})
    assert caught.value.code == 0
    told = capsys.readouterr().out
    assert "usage: databench new" in told and "--kernel" in told and "NAME" in told


def test_subcommand_comes_first(here, capsys):
    assert cli.main(["--port", "0", "new", "pi"], {}) == 2
    assert "'new' comes first" in capsys.readouterr().err
    assert os.listdir(here) == []
