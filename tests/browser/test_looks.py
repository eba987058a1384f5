"""What can be held of how pages look: nothing sticks out, and every text can be read."""

import pytest
from playwright.sync_api import expect

NAMES = ("dummypi", "dummypi_py", "pi", "scaffold", "scaffold_py")
# WCAG 2.2, success criterion 1.4.3, https://www.w3.org/TR/WCAG22/#contrast-minimum
CONTRAST = 4.5

# Each visible text of the page with its contrast to what lies behind it. Disabled controls are
# exempt there, and transparent layers do not occur behind text.
TEXTS = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color[3] !== 0) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), node = walker.currentNode.parentElement;
    if (!text || !node.checkVisibility() || node.closest('script,:disabled')) continue;
    const style = getComputedStyle(node);
    const front = parse(node.closest('svg') ? style.fill : style.color);
    const [low, high] = [light(front), light(behind(node))].sort((a, b) => a - b);
    found.push([text, (high + 0.05) / (low + 0.05)]);
  }
  return found;
}"""


def too_wide(page) -> int:
    """By how many pixels the page is wider than its window."""
    root = "document.documentElement"
    return page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")


def unreadable(page) -> list:
    texts = page.evaluate(TEXTS)
    assert len(texts) > 3
    return [(text, ratio) for text, ratio in texts if ratio < CONTRAST]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_and_can_be_read(scheme, server, pages):
    page = pages.open(server, color_scheme=scheme, viewport={"width": 320, "height": 640})
    for path in ("/", *(f"/{name}/" for name in NAMES)):
        page.goto(server.url + path)
        assert (path, too_wide(page)) == (path, 0)
        assert (path, unreadable(page)) == (path, [])
    page.goto(server.url + "/pi/")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("figure svg text").first).to_be_visible()
    pages.allow("SIGKILL")
    server.kernel("pi").kill()
    expect(page.locator("#databench-alerts")).to_contain_text("SIGKILL")
    assert too_wide(page) == 0
    assert unreadable(page) == []


@pytest.mark.parametrize(
    ("page_text", "heading"),
    [("<p>Nothing more.</p>", "x"), ("<section><h1>Its own</h1></section>", "Its own")],
)
def test_page_has_one_heading(page_text, heading, serve, pages, tmp_path):
    folder = tmp_path / "analyses" / "x"
    folder.mkdir(parents=True)
    (folder / "analysis.py").write_text(
        "import databench\n\n\nclass X(databench.Analysis):\n    pass\n"
    )
    (folder / "index.html").write_text(
        '{% extends "analysis.html" %}{% block analysis %}' + page_text + "{% end %}"
    )
    page = pages.open(serve(folder.parent), "/x/")
    expect(page.get_by_role("heading", level=1)).to_have_text([heading])


@pytest.mark.parametrize("name", NAMES)
def test_demos_have_one_heading(name, server, pages):
    page = pages.open(server, f"/{name}/")
    expect(page.get_by_role("heading", level=1)).to_have_count(1)


def test_page_is_used_by_keyboard_alone(server, pages):
    page = pages.open(server, "/scaffold/")
    expect(page.locator("strong")).to_contain_text("ready since")
    page.get_by_role("textbox").focus()
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Greet")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("strong")).to_have_text("Hello, Ada!")
    expect(page.get_by_role("button", name="Greet")).to_be_focused()
