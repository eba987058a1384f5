"""Which pages get the script that shows formulae, and where in them."""

import re

import pytest

from databench.front.content.formulae import ADDRESS, holds_formula, with_script

SCRIPT = b'<script src="/_static/formulae.js?v=1"></script>\n'


@pytest.mark.parametrize(
    "text",
    [
        rb"a \(x\) b",
        b"$$\nx\n$$",
        rb"\[x\]",
        rb"\begin{align*}a\end{align*}",
        rb"<pre>$$</pre>$$x$$",
        rb"<p>\(a &lt; b\)</p><script>x</script>",
    ],
)
def test_a_formula_is_seen(text):
    assert holds_formula(text)


@pytest.mark.parametrize(
    "text",
    [
        b"no formula, 5 $ and $ 6",
        b"costs $$ 5",
        rb"\(open",
        rb"<script>/\(a\)/.test('$$x$$')</script>",
        rb"<PRE class=x>\(a\)</PRE> <code>$$a$$</code>",
        rb"<textarea>$$a$$</textarea><style>\(a\)</style>",
        rb"<!-- \(a\) -->",
        rb"<title>$$a$$</title>",
        rb"<script>\(a\)",
        rb"\begin{align}x\end{matrix}",
    ],
)
def test_what_is_no_formula_of_the_text_is_passed_over(text):
    assert not holds_formula(text)
    assert with_script(text, str) == text


@pytest.mark.parametrize(
    "unit", [rb"\( ", rb"\[", rb"\begin{a}", rb"\end{a}", b"<pre>", b"<!--", b"</body ", b"</pre "]
)
def test_begins_without_ends_take_linear_time(unit):
    # 3 MB: with patterns that read the rest each time it would take hours.
    assert not holds_formula(b"$$ " + unit * 2**20)


def test_environments_without_ends_take_linear_time():
    assert not holds_formula(b"".join(b"\\begin{a%d}" % number for number in range(2**17)))


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (b"<body>$$a$$</body></html>", b"<body>$$a$$" + SCRIPT + b"</body></html>"),
        (b"<BODY>$$a$$</BODY >", b"<BODY>$$a$$" + SCRIPT + b"</BODY >"),
        (b"$$a$$", b"$$a$$" + SCRIPT),
    ],
)
def test_the_script_stands_at_the_end(page, expected):
    assert with_script(page, {ADDRESS: f"{ADDRESS}?v=1"}.__getitem__) == expected


async def test_a_page_that_overrides_everything_gets_it_too(serve, folder):
    (folder / "x" / "index.html").write_text(r"<h1>own</h1>\(a\)")
    (folder / "x" / "plain.html").write_text("<h1>none</h1>")
    server = await serve()
    script = rb'<script src="/_static/formulae\.js\?v=[0-9a-f]{16}"></script>\n'
    assert re.search(script + rb"\Z", (await server.get("/x/")).body)
    assert b"formulae" not in (await server.get("/x/plain.html")).body


async def test_a_readme_is_enough(serve, folder):
    (folder / "x" / "README.md").write_text(r"with \(a_1\)")
    server = await serve()
    body = (await server.get("/x/")).body
    assert rb"with \(a_1\)" in body
    assert b'<script src="/_static/formulae.js?v=' in body
