"""One script as a person serves it: its page at `/`, and what a save of it does."""

import pytest
from playwright.sync_api import expect

SCRIPT = """\
import databench


class Notes(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(text='', shown='nothing')

    @databench.on
    def show(self):
        self.data['shown'] = 'FIRST ' + self.data['text']


if __name__ == '__main__':
    databench.run(Notes, __file__, info={'title': 'My notes', 'colour': 'teal'})
"""
PAGE = """\
{% extends "analysis.html" %}
{% block head %}<style>#shown { color: {{ globals().get('colour') }}; }</style>{% end %}
{% block analysis %}
<label>Text <input type="text" name="text"></label>
<button data-action="show">Show</button>
<p id="shown" data-signal="data:shown"></p>
{% end %}
"""


@pytest.fixture
def script(tmp_path):
    script = tmp_path / "notes.py"
    script.write_text(SCRIPT)
    (tmp_path / "index.html").write_text(PAGE)
    return script


def test_page_is_at_the_root_and_saves_are_followed(script, serve, pages):
    server = serve(script=script)
    page = pages.open(server)
    expect(page).to_have_title("My notes")
    expect(page.get_by_role("link", name="All analyses")).to_have_count(0)
    shown = page.locator("#shown")
    expect(shown).to_have_text("nothing")
    assert shown.evaluate("p => getComputedStyle(p).color") == "rgb(0, 128, 128)"
    page.get_by_role("textbox").fill("a b")
    page.get_by_role("button", name="Show").click()
    expect(shown).to_have_text("FIRST a b")

    # The kernel alone is new: same page, same state, what was typed is there.
    page.evaluate("window.isSamePage = true")
    before = server.kernel("notes").pid
    script.write_text(SCRIPT.replace("FIRST", "SECOND"))
    server.wait_printed("kernel 'notes'.*generation 2")
    page.get_by_role("button", name="Show").click()
    expect(shown).to_have_text("SECOND a b")
    expect(page.get_by_role("textbox")).to_have_value("a b")
    assert page.evaluate("window.isSamePage")
    assert server.kernel("notes").pid != before

    # The page itself is loaded again, and keeps its session.
    script.with_name("index.html").write_text(PAGE.replace("Text <", "Note <"))
    expect(page.get_by_label("Note")).to_have_value("a b")
    expect(shown).to_have_text("SECOND a b")


def test_default_page_is_shown_where_there_is_none(script, serve, pages):
    script.with_name("index.html").unlink()
    page = pages.open(serve(script=script))
    expect(page.get_by_role("heading", name="My notes")).to_be_visible()
    assert page.evaluate(
        """() => new Promise((resolve) => {
            const d = new Databench.Connection();
            d.on({data: 'shown'}, (value) => { if (value !== 'nothing') resolve(value); });
            d.connect(() => d.emit('show'));
        })"""
    ) == ("FIRST ")


def test_gallery_of_a_single_file_leads_to_it(script, serve, pages):
    page = pages.open(serve(None, str(script)))
    page.get_by_role("link", name="notes").click()
    expect(page.locator("#shown")).to_have_text("nothing")
    page.get_by_role("link", name="All analyses").click()
    expect(page.get_by_role("heading", name="Analyses")).to_be_visible()


def test_script_without_a_page_has_buttons_and_values(script, serve, pages):
    (script.parent / "index.html").unlink()
    server = serve(script=script)
    page = pages.open(server)
    values = page.locator("dl dd")
    expect(values).to_have_text(["", "nothing"])
    page.get_by_role("button", name="show", exact=True).click()
    expect(values).to_have_text(["", "FIRST"])
    # Another action is a button as soon as the file is saved.
    script.write_text(SCRIPT.replace("def show(", "def present("))
    page.get_by_role("button", name="present", exact=True).click()
    expect(page.get_by_role("button", name="show", exact=True)).to_have_count(0)
