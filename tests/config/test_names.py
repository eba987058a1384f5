"""The names of a project's files, beside a project and the documents."""

from pathlib import Path

from databench.config import load, names
from databench.scaffold import main

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_a_new_analysis_has_a_module_of_this_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["mine"]) == 0
    assert (tmp_path / "analyses" / "mine" / names.MODULE_FILE).is_file()


def test_a_project_is_read_from_the_index_of_this_name(tmp_path):
    (tmp_path / names.INDEX_FILE).write_text("title: Lab\n")
    assert load(tmp_path).title == "Lab"


def test_the_documents_name_each():
    texts = "".join(path.read_text() for path in DOCS.rglob("*.md"))
    for name in (names.INDEX_FILE, names.MODULE_FILE, names.ROUTES_FILE):
        assert f"`{name}`" in texts
