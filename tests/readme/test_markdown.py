"""Markdown as HTML: what of it is markup, and what passes through."""

import pytest

from databench.readme import formulae, render_markdown
from databench.readme.formulae import Formulae


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (r"a \(x_1 * y_2 * z\) b", r"<p>a \(x_1 * y_2 * z\) b</p>"),
        (r"\\(x\\)", r"<p>\(x\)</p>"),
        ("$$ a_b_c $$", "<p>$$ a_b_c $$</p>"),
        (r"\[a\]", r"<p>\[a\]</p>"),
        ("see $$a$$ there", "<p>see $$a$$ there</p>"),
        ("$$\n- a\n= b\n$$\nafter", "<p>$$\n- a\n= b\n$$</p>\n<p>after</p>"),
        ("before\n$$\na\n$$", "<p>before</p>\n<p>$$\na\n$$</p>"),
        (r"$$a \\[1em] b$$", r"<p>$$a \\[1em] b$$</p>"),
        (r"\(a < b\)", r"<p>\(a &lt; b\)</p>"),
        (r"\(<script>x</script>\)", r"<p>\(&lt;script&gt;x&lt;/script&gt;\)</p>"),
    ],
)
def test_a_formula_passes_through(text, html):
    assert render_markdown(text).strip() == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (r"`\(x\)`", r"<p><code>\(x\)</code></p>"),
        ("    $$a$$", "<pre><code>$$a$$\n</code></pre>"),
        ("```\n$$a$$\n```", "<pre><code>$$a$$\n</code></pre>"),
        ("`$$` and `$$`", "<p><code>$$</code> and <code>$$</code></p>"),
        ("costs $$ 5. `$$`", "<p>costs $$ 5. <code>$$</code></p>"),
        ("$$a\n\nb$$", "<p>$$a</p>\n<p>b$$</p>"),
        (r"\(open", "<p>(open</p>"),
        (r"[a](http://x/\(b\))", '<p><a href="http://x/(b)">a</a></p>'),
    ],
)
def test_what_is_no_formula_stays_markdown(text, html):
    assert render_markdown(text).strip() == html


@pytest.mark.parametrize("text", ["<script>x</script>", "a <x-y>c</x-y>", "[a](javascript:x)"])
def test_html_that_is_not_harmless_is_shown_as_text(text):
    html = render_markdown(text)
    assert not any(tag in html for tag in ("<script", "<x-y", "<a "))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a<br>b <kbd>X</kbd> H<sub>2</sub>O", "<p>a<br>b <kbd>X</kbd> H<sub>2</sub>O</p>"),
        ("a<!-- not\n\nshown -->b", None),
        ("a <!-- not shown -->b", "<p>a b</p>"),
        ("<!-- of\n\nlines -->\n\nb", "<p>b</p>"),
        (
            "<details><summary>More</summary>\n\n*text*\n\n</details>",
            "<details><summary>More</summary>\n<p><em>text</em></p>\n</details>",
        ),
        (r"\(a<b\) <i>x</i>", r"<p>\(a&lt;b\) <i>x</i></p>"),
        ("a <b>c", "<p>a <b>c</b></p>"),
    ],
)
def test_harmless_html_is_kept(text, html):
    if html is None:  # a comment does not reach over paragraphs: its beginning is text
        assert "<!--" not in render_markdown(text)
        return
    assert render_markdown(text).strip().removesuffix("<b>\n</b>") == html


def test_tables_are_tables():
    assert "<td>b</td>" in render_markdown("| a |\n|---|\n| b |\n")


@pytest.mark.parametrize("text", ["{}", "so {} is", "{} is"])
def test_a_bare_environment_keeps_its_line_ends(text):
    formula = r"\begin{align*} a &= b \\ &= c_1 * d * e \end{align*}"
    html = render_markdown(text.format(formula))
    assert formula.replace("&", "&amp;") in html


@pytest.mark.parametrize(
    "unit", ["\\( ", "$$ x ", "\\begin{a} ", "\\[ ", "\\[\n", "\\\\( ", "\\begin{a}\n"]
)
def test_begins_without_ends_are_looked_at_once(unit, monkeypatch):
    made = []
    monkeypatch.setattr(formulae, "Formulae", lambda text: made.append(text) or Formulae(text))
    text = unit * 3000  # with a pattern that reads the rest each time: half a minute
    assert unit.strip().strip("\\")[:1] in render_markdown(text)
    assert sum(map(len, made)) <= 3 * len(text)
