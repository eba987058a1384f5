"""reStructuredText as HTML: what of it is markup, what passes through, what stays out."""

import sys

import pytest

from databench.readme.rst import MissingDocutilsError, is_safe_address, render_rst

pytestmark = pytest.mark.slow


def test_text_becomes_html():
    html = render_rst("Title\n=====\n\nRest of *readme*.\n")
    assert "<h1>Title</h1>" in html
    assert "<p>Rest of <em>readme</em>.</p>" in html
    assert "<main" not in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (r"a \(x_1 * y_2 * z\) b", r"<p>a \(x_1 * y_2 * z\) b</p>"),
        (r"\\(x\\)", r"<p>\(x\)</p>"),
        ("$$a_ <b>$$", "<p>$$a_ &lt;b&gt;$$</p>"),
        ("$$\na\n- b\n$$", "<p>$$\na\n- b\n$$</p>"),
        (r":math:`\alpha < 1`", r'<p><span class="math">\(\alpha &lt; 1\)</span></p>'),
    ],
)
def test_a_formula_passes_through(text, html):
    assert render_rst(text).strip() == html


def test_math_of_several_lines_becomes_an_environment():
    html = render_rst(".. math::\n\n   a &= b \\\\\n   c &= d\n")
    assert "\\begin{align*}\na &amp;= b \\\\\nc &amp;= d\n\\end{align*}" in html


def test_tables_with_formulae_stay_tables():
    table = "=====  ==\n\\(a\\)  bb\nlong1  c\n=====  ==\n"
    html = render_rst(table)
    assert r"<td><p>\(a\)</p></td>" in html
    assert "<td><p>bb</p></td>" in html


def test_literal_text_stays_as_it_is():
    html = render_rst("``\\(a\\)`` and ``$$``, ``$$``\n\n::\n\n   \\(b\\)\n")
    assert r'<span class="docutils literal">\(a\)</span>' in html
    assert '<span class="docutils literal">$$</span>, ' in html
    assert r'<pre class="literal-block">\(b\)' in html


def test_what_could_run_or_read_stays_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text("the secret")
    (tmp_path / "secret.svg").write_text("<svg>the secret</svg>")
    (tmp_path / "docutils.conf").write_text("[general]\nraw_enabled: yes\n")
    html = render_rst(
        ".. raw:: html\n\n   <script>alert(1)</script>\n\n"
        ".. include:: secret.txt\n\n"
        ".. csv-table::\n   :file: secret.txt\n\n"
        ".. image:: secret.svg\n   :loading: embed\n\n"
        "`a <javascript:alert(1)>`__ b_ |c| <script>alert(2)</script>\n\n"
        ".. _b: java\n   script:alert(1)\n\n"
        ".. |c| image:: x.png\n   :target: javascript:alert(1)\n"
    )
    assert "secret<" not in html
    assert "the secret" not in html
    assert "<script" not in html
    assert "javascript" not in html
    assert html.count('href="#"') == 3


@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("https://example.org/a:b", True),
        ("mailto:a@example.org", True),
        ("other.html#x", True),
        ("a b:c", False),
        ("JavaScript:alert(1)", False),
        (" java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("vbscript:x", False),
        ("file:///etc/passwd", False),
    ],
)
def test_an_address_that_runs_something_is_known(address, is_safe):
    assert is_safe_address(address) is is_safe


def test_broken_text_is_shown_and_says_nothing_on_the_terminal(capsys):
    assert "open" in render_rst("*open\n\n.. nosuch::\n\n====\nx\n")
    assert capsys.readouterr() == ("", "")


def test_missing_docutils_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "docutils.core", None)
    with pytest.raises(MissingDocutilsError, match=r"pip install 'databench\[rst\]'"):
        render_rst("x")
