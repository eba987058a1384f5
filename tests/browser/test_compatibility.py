"""A page that overrides the footer and wires itself, as pages of version 0.7 do."""

from pathlib import Path

from playwright.sync_api import expect

ANALYSES = Path(__file__).resolve().parents[1] / "analyses"


def test_page_of_version_07_works_unchanged(serve, pages):
    page = pages.open(serve(ANALYSES), "/footer/?a=1&a=2&b=x")
    signals = page.locator("#signals")
    expect(signals).to_contain_text('args:{"a":["1","2"],"b":["x"]}')
    expect(signals).to_contain_text("connected")
    # Emitted once connected, with what `preEmit` made of it; its start and end were told.
    expect(page.locator("#count")).to_have_text("2")
    expect(signals).to_contain_text("added:2")
    expect(page.locator("#processes")).to_have_text("start end ")

    page.get_by_role("button", name="Add").click()
    expect(page.locator("#count")).to_have_text("4")
    slider = page.get_by_role("slider")
    expect(slider).to_have_value("5")
    slider.press("End")
    expect(page.locator("#log")).to_contain_text('"level":10')


def test_loading_the_script_twice_connects_once(serve, pages):
    page = pages.open(serve(ANALYSES))
    sockets: list[str] = []
    page.goto(page.url + "footer/")
    expect(page.locator("#count")).to_have_text("2")
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.reload()
    expect(page.locator("#count")).to_have_text("2")
    assert len(sockets) == 1
