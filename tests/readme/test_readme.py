"""The readme of a folder."""

import os
import sys

import pytest

import databench
from databench.readme import summarize


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "analysis"


def write(folder, name, text):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return databench.Readme(folder)


def test_markdown(folder):
    readme = write(folder, "README.md", "Text of `README.md`: π")
    assert readme.text == "Text of `README.md`: π"
    assert readme.html == "<p>Text of <code>README.md</code>: π</p>\n"
    assert databench.Readme(str(folder)).text == readme.text


@pytest.mark.slow
def test_rst(folder):
    readme = write(folder, "README.rst", "Rest of readme.\n")
    assert readme.text == "Rest of readme.\n"
    assert "<p>Rest of readme.</p>" in readme.html


@pytest.mark.parametrize("name", ["readme.md", "ReadMe.MD", "README.markdown"])
def test_letters_may_be_small_or_large(folder, name):
    assert write(folder, name, "a").html == "<p>a</p>\n"


def test_markdown_comes_first(folder):
    write(folder, "README.rst", "rst")
    assert write(folder, "README.md", "md").text == "md"


@pytest.mark.parametrize("name", ["analysis.py", "README.txt", "README"])
def test_no_readme_is_empty(folder, name):
    readme = write(folder, name, "x")
    assert (readme.file, readme.text, readme.html) == (None, "", "")


def test_a_folder_that_is_not_there_has_none(folder):
    readme = databench.Readme(folder)
    assert (readme.file, readme.text, readme.html) == (None, "", "")


def test_a_change_is_seen(folder):
    readme = write(folder, "README.md", "old")
    assert readme.html == "<p>old</p>\n"
    write(folder, "README.md", "newer")
    assert readme.html == "<p>newer</p>\n"


def test_a_link_out_of_the_folder_is_not_followed(folder, tmp_path):
    (tmp_path / "secret").write_text("secret")
    folder.mkdir()
    os.symlink(tmp_path / "secret", folder / "README.md")
    assert databench.Readme(folder).text == ""


def test_bytes_that_are_no_text_do_not_hide_the_rest(folder):
    readme = write(folder, "README.md", "")
    (folder / "README.md").write_bytes(b"\xef\xbb\xbfa \xff b")
    assert readme.text == "a \ufffd b"


def test_missing_docutils_is_told_where_the_readme_would_be(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "docutils.core", None)
    html = write(folder, "README.rst", "a <b>").html
    assert "README.rst: docutils is not installed" in html
    assert "pip install &#x27;databench[rst]&#x27;" in html
    assert "<pre>a &lt;b&gt;</pre>" in html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<h1>T</h1>\n<p>First <em>one</em>,\ntwo &lt; three.</p><p>x</p>",
            "First one, two < three.",
        ),
        ("<h1>T</h1>", ""),
        (f"<p>{'word ' * 60}</p>", "word " * 39 + "word…"),
    ],
)
def test_the_first_paragraph_is_the_summary(html, text):
    assert summarize(html) == text
