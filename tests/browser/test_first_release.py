"""The style of the first release: a folder as of 2014, and the demo made of it."""

import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.processes.server import Server

REPOSITORY = Path(__file__).resolve().parents[2]
OLD = REPOSITORY / "tests" / "compat" / "first_release" / "analyses"
DEMO = REPOSITORY / "analyses" / "simplepi_signals"
TITLE = "π with functions and signals"
RUN_MS = 60_000  # a run sleeps for ten seconds at least


@pytest.fixture(scope="module")
def old():
    with Server(OLD) as server:
        yield server


def read(page):
    """The estimate and its uncertainty, as they are shown."""
    return [float(word) for word in page.locator("#pi").inner_text().split(" ± ")]


def test_old_layout_and_demo_are_the_same_words():
    assert (OLD / "simplepi.py").read_text() == (DEMO / "analysis.py").read_text()
    page = "templates/simplepi.html"
    # The demo says what it is called in the gallery.
    old, demo = (OLD / page).read_text(), (DEMO / page).read_text()
    for words in ("<h1>{}</h1>", "{{% block title %}}{}{{% endblock %}}"):
        old = old.replace(words.format("simplepi"), words.format(TITLE))
    assert old == demo
    assert (OLD / "__init__.py").read_text() == "import simplepi\n"
    assert not (OLD / "index.yaml").exists()


def test_a_run_of_the_old_folder_and_one_of_the_demo_come_to_their_ends(old, server, pages):
    gallery = pages.open(old)
    expect(gallery.locator("img[src='/simplepi/simplepi.png']")).to_be_visible()
    expect(gallery.get_by_text("in the style of the first release")).to_be_visible()
    gallery.get_by_role("link", name="simplepi").click()
    demo = pages.open(server, "/simplepi_signals/")
    expect(gallery.locator("#pi")).to_have_text(re.compile(r"^\d\.\d{3} ± 0\.\d{3}$"))
    # Another page of the old folder has a run of its own, which begins at its beginning.
    second = pages.open(old, "/simplepi/")
    expect(second.locator("#log")).to_contain_text('{"draws":100,')
    for page, title in ((gallery, "simplepi"), (demo, TITLE)):
        expect(page).to_have_title(title)
        expect(page.locator("math").first).to_be_visible()
        log = page.locator("#log")
        expect(log).to_contain_text('backend (log): {"action":"done"}', timeout=RUN_MS)
        draws = [int(n) for n in re.findall(r'"draws":(\d+)', log.inner_text())]
        assert draws == list(range(10_000 - 100 * (len(draws) - 1), 10_001, 100))
        estimate, uncertainty = read(page)
        assert 0.01 < uncertainty < 0.02
        assert abs(estimate - math.pi) < 6 * uncertainty
    expect(second.locator("#log")).to_contain_text('{"action":"done"}', timeout=RUN_MS)
    assert second.locator("#log").inner_text() != gallery.locator("#log").inner_text()


def test_a_reload_finds_its_run_again(old, pages):
    page = pages.open(old, "/simplepi/")
    expect(page.locator("#log")).to_contain_text('"draws":300')
    page.reload()
    expect(page.locator("#log")).to_contain_text(re.compile(r'"draws":(?!100,)\d+'))


LETTERS = """\
\"\"\"Counts letters.\"\"\"

import databench

signals = databench.Signals('letters')


@signals.on('sentence')
def onsentence(json):
    counts = {}
    for letter in json['sentence']:
        counts[letter] = counts.get(letter, 0) + 1
    signals.emit('counts', counts)


letters = databench.Analysis('letters', __name__, signals)
letters.description = __doc__
"""

LETTERS_PAGE = """\
{% from 'macros.html' import include_src %}
{% extends "base.html" %}
{% block title %}letters{% endblock %}
{% block content %}
<form class="form-inline" id="form"><label class="sr-only" for="words">Words</label>
<input type="text" class="form-control" id="words"></form>
<div id="bars"></div>
{% filter markdown %}
### About

It is drawn by `d3.js`, with \\(n\\) bars.
{% endfilter %}
letters.py: {{ include_src('letters.py', 'python') }}
{% endblock %}
{% block footerscripts %}
<script>
var databench = Databench('letters');
$('#words').on('keyup', function() {
  databench.signals.emit('sentence', {sentence: $(this).val()});
});
databench.signals.on('counts', function(counts) {
  var bars = d3.select('#bars').selectAll('p').data(d3.entries(counts));
  bars.enter().append('p');
  bars.text(function(d) { return d.key + ' ' + d.value; });
});
</script>
{% endblock %}
"""


@pytest.fixture
def letters(tmp_path):
    folder = tmp_path / "analyses"
    (folder / "templates").mkdir(parents=True)
    (folder / "__init__.py").write_text("import letters\n")
    (folder / "letters.py").write_text(LETTERS)
    (folder / "templates" / "letters.html").write_text(LETTERS_PAGE)
    with Server(folder) as server:
        yield server


def test_a_page_of_d3_markdown_and_its_own_source(letters, pages):
    page = pages.open(letters)
    expect(page.get_by_text("Counts letters.")).to_be_visible()
    page.get_by_role("link", name="letters").click()
    expect(page.get_by_role("heading", name="About")).to_be_visible()
    expect(page.locator("math").first).to_be_visible()
    page.locator("#words").press_sequentially("abb")
    expect(page.locator("#bars p")).to_have_text(["a 1", "b 2"])
    expect(page.locator("#databench-alerts .alert")).to_have_count(0)
    page.get_by_text("letters.py", exact=True).last.click()
    expect(page.locator("code.language-python")).to_contain_text("databench.Signals('letters')")
    answer = page.request.get(letters.url + "/static/databench.js")
    assert answer.ok
    assert "Databench" in answer.text()
