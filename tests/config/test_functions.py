"""What the source of an analysis made of functions says; nothing of it is run."""

import pytest

from databench.config import load
from databench.config.functions import find_functions, find_one, read_functions

SOURCE = """\
import databench

raise SystemExit('never run')
{name} = databench.Analysis({name!r}, __name__)
{name}.description = (
    'of '
    '{name}')
{name}.thumbnail = '{name}.png'
"""


def write(folder, *names):
    for name in names:
        (folder / f"{name}.py").write_text(SOURCE.format(name=name))


def test_name_description_and_thumbnail_are_read(tmp_path):
    write(tmp_path, "pi")
    found = read_functions(tmp_path / "pi.py")
    assert (found.name, found.description, found.thumbnail) == ("pi", "of pi", "pi.png")
    assert found.is_beside_others
    assert found.page == tmp_path / "templates" / "pi.html"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a = Analysis('x', __name__, description='d')", "x"),
        ("a = databench.Analysis(name='x', import_name=__name__, description='d')", "x"),
        ("a = databench.Analysis(name_of(), __name__)", None),
        ("class A(databench.Analysis): pass", None),
        ("# Analysis('x') is no more here", None),
        ("a = Other('x'); print(Analysis('y'))", None),
    ],
)
def test_only_a_call_makes_one(tmp_path, source, name):
    (tmp_path / "m.py").write_text(source)
    found = read_functions(tmp_path / "m.py")
    assert (found and (found.name, found.description)) == (name and (name, "d"))


@pytest.mark.parametrize(
    "source",
    [
        "a = databench.Analysis('x', __name__)\na.description = __doc__",
        "a = databench.Analysis('x', __name__, description=__doc__)",
        "a = databench.Analysis('x', __name__, __doc__)",
    ],
)
def test_a_description_may_be_the_docstring(tmp_path, source):
    (tmp_path / "m.py").write_text(f'"""Of pi.\n\n    More.\n"""\nimport databench\n{source}\n')
    assert read_functions(tmp_path / "m.py").description == "Of pi.\n\nMore."
    (tmp_path / "m.py").write_text(source)
    assert read_functions(tmp_path / "m.py").description is None


def test_those_that_the_package_imports_are_served(tmp_path):
    write(tmp_path, "one", "two", "three")
    (tmp_path / "helper.py").write_text("x = 1")
    assert [f.name for f in find_functions(tmp_path)] == ["one", "three", "two"]
    (tmp_path / "__init__.py").write_text("import os\nimport one\nfrom . import three\n")
    assert [f.name for f in find_functions(tmp_path)] == ["one", "three"]
    (tmp_path / "__init__.py").write_text("print 'of Python 2'\n")
    assert len(list(find_functions(tmp_path))) == 3


def test_a_module_that_cannot_be_read_keeps_its_place_by_its_page(tmp_path):
    (tmp_path / "old.py").write_text("old = databench.Analysis('old', __name__)\nprint 'x'\n")
    assert list(find_functions(tmp_path)) == []
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "old.html").write_text("")
    assert [f.name for f in find_functions(tmp_path)] == ["old"]


def test_one_in_a_folder_of_its_own_comes_before_one_beside_others(tmp_path):
    write(tmp_path, "pi")
    assert find_one(tmp_path, "pi").is_beside_others
    (tmp_path / "pi").mkdir()
    (tmp_path / "pi" / "analysis.py").write_text(SOURCE.format(name="other"))
    assert find_one(tmp_path, "pi").name == "other"
    assert not find_one(tmp_path, "pi").is_beside_others
    assert find_one(tmp_path, "none") is None


def test_they_stand_in_the_index_with_and_without_a_file(tmp_path):
    write(tmp_path, "pi")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "analysis.py").write_text("class More(databench.Analysis): pass")
    entries = load(tmp_path).entries
    assert list(entries) == ["more", "pi"]
    assert entries["more"].functions is None
    assert entries["pi"].description == "of pi"
    (tmp_path / "index.yaml").write_text("analyses: [{name: pi, title: Of old}, {name: gone}]")
    entries = load(tmp_path).entries
    assert (entries["pi"].title, entries["pi"].description) == ("Of old", "of pi")
    assert entries["pi"].problems == ()
    assert "is missing" in entries["gone"].problems[0]
