"""HTML in a readme: what may be shown, and what never gets through."""

from html.parser import HTMLParser

import pytest

pytest.importorskip("nh3")

from databench.readme import render_markdown
from databench.readme.html import sanitise, show_known

_MAY_BE = {"href", "src", "title", "alt", "width", "height", "align", "open", "class", "style"}


class Seen(HTMLParser):
    """Tags and attributes as a reader of HTML finds them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


@pytest.mark.parametrize(
    "tag",
    ["br", "i", "b", "em", "strong", "code", "kbd", "sub", "sup", "del", "span", "div", "p", "h2"]
    + ["ul", "ol", "li", "blockquote", "summary", "details"],
)
def test_harmless_tags_are_shown(tag):
    assert f"<{tag}>" in sanitise(show_known(f"<{tag}>x"))


def test_tables_links_and_images_keep_what_they_need():
    table = '<table><tr><td align="right" colspan="2">1</td></tr></table>'
    assert '<td align="right" colspan="2">1</td>' in sanitise(show_known(table))
    link = '<a href="https://x.y/z" title="t">a</a><img src="a.png" alt="b" width="40">'
    assert sanitise(show_known(link)) == link
    relative = '<a href="#top">a</a><a href="more/a.html">b</a>'
    assert sanitise(show_known(relative)) == relative


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<SCRIPT/x>alert(1)</SCRIPT>",
        "<scr<script>ipt>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<img src="x" onerror\n=alert(1)>',
        "<svg onload=alert(1)>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<a href=javascript:alert(1)>x</a>",
        '<a href="java\tscript:alert(1)">x</a>',
        "<a href='&#106;avascript:alert(1)'>x</a>",
        "<a href=' data:text/html,<script>alert(1)</script>'>x</a>",
        "<img src='data:image/svg+xml;base64,AAAA'>",
        "<a href='vbscript:x'>x</a>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<object data=x></object><embed src=x><base href=//x>",
        "<form action=x><input name=y><button data-action=run>x</button></form>",
        "<div id=databench-alerts name=x data-signal=data:x class=alert>x</div>",
        "<code class='alert'>x</code><td style='position:fixed'>",
        "<meta http-equiv=refresh content='0;url=//x'><link rel=stylesheet href=//x>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
        "<b title='<!--' onclick=alert(1)>x</b>",
        "<!--><img src=x onerror=alert(1)>-->",
        "<!-- --!><img src=x onerror=alert(1)>",
        "<p title=`<script>`>x<template><script>alert(1)</script></template>",
        "{% raw 1 %}<b onmouseover='x'>{{ x }}</b>",
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "a {} b", "- {}\n", "<div>\n{}\n</div>", "| {} |\n|---|\n"]
)
def test_nothing_that_could_run_or_be_wired_gets_through(text, around):
    seen = Seen(render_markdown(around.format(text)))
    assert not {"script", "svg", "math", "iframe", "object", "embed", "base", "form"} & {*seen.tags}
    assert not {"input", "button", "meta", "link", "style", "template"} & {*seen.tags}
    assert {name for name, _ in seen.attributes} <= _MAY_BE
    for name, value in seen.attributes:
        assert name != "class" or value.startswith("language-")
        assert name != "style" or value.startswith("text-align:")
        if name in ("href", "src"):
            address = "".join((value or "").split()).lower()
            assert not address.startswith(
                ("javascript:", "vbscript:", "data:text", "data:image/svg")
            )


def test_what_is_no_tag_of_ours_is_text_and_not_lost():
    assert show_known(
        "List<int> <T> 1 < 2 <3"
    ) == "List&lt;int&gt; &lt;T&gt; 1 &lt; 2 &lt;3".replace("&gt;", ">")
    assert "List&lt;int&gt; and &lt;T&gt;" in render_markdown("List<int> and <T>")


def test_a_comment_without_an_end_is_read_once():
    assert show_known("a<!--" * 100_000) == "a"
