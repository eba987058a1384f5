"""Makes the pictures in docs/images: `python -m tests.browser.screenshots [FOLDER]`.

The gallery, a run in its middle and a kernel that was killed; light and dark, desk and phone.
WebP, made by the browser itself, keeps each below 150 KB.
"""

from __future__ import annotations

import base64
import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import FLAGS, LIMIT_MS
from tests.processes.server import REPOSITORY, Server

FOLDER = REPOSITORY / "docs" / "images"
LIMIT_BYTES = 150 * 1024
DESK, PHONE = {"width": 1200, "height": 820}, {"width": 390, "height": 844}
_TO_WEBP = """async png => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/webp', 0.9).split(',')[1];
}"""


def gallery(page: Page, server: Server) -> None:
    """The gallery, its images loaded."""
    page.goto(server.url)
    for image in page.locator("img.d-thumbnail").all():
        image.scroll_into_view_if_needed()
        expect(image).not_to_have_js_property("naturalWidth", 0)
    page.evaluate("scrollTo(0, 0)")


def run(page: Page, server: Server) -> None:
    """The smallest app in the middle of its run."""
    page.goto(server.url + "/pi/")
    page.get_by_role("button", name="Run", exact=True).click()
    label = re.compile(r"line of (1[5-9]|2\d) values")
    expect(page.locator("figure svg")).to_have_attribute("aria-label", label)


def killed(page: Page, server: Server) -> None:
    """The notice of a page after the kernel was killed."""
    run(page, server)
    server.kernel("pi").kill()
    expect(page.locator("#databench-alerts")).to_contain_text("SIGKILL")
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()


PICTURES = (
    ("gallery-light", gallery, DESK, "light"),
    ("gallery-phone-dark", gallery, PHONE, "dark"),
    ("run-light", run, DESK, "light"),
    ("run-dark", run, DESK, "dark"),
    ("run-phone-light", run, PHONE, "light"),
    ("killed-phone-dark", killed, PHONE, "dark"),
)


def take(browser: Browser, server: Server, name: str, show, viewport, scheme: str) -> bytes:
    """One picture, as PNG."""
    context = browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    show(page, server)
    # On a phone the first demos are enough; at a desk all of them show.
    png = page.screenshot(full_page=name.startswith("run") or name == "gallery-light")
    context.close()
    return png


def to_webp(browser: Browser, png: bytes) -> bytes:
    """The same picture, smaller."""
    page = browser.new_page()
    text = page.evaluate(_TO_WEBP, base64.b64encode(png).decode())
    page.close()
    return base64.b64decode(text)


def main(folder: Path = FOLDER) -> int:
    """Makes all of them; in another folder the PNG too, for viewers that know no WebP."""
    expect.set_options(timeout=LIMIT_MS)
    folder.mkdir(parents=True, exist_ok=True)
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with Server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        for name, show, viewport, scheme in PICTURES:
            png = take(browser, server, name, show, viewport, scheme)
            webp = to_webp(browser, png)
            (folder / f"{name}.webp").write_bytes(webp)
            if folder != FOLDER:
                (folder / f"{name}.png").write_bytes(png)
            print(f"{name}: {len(webp)} bytes")
            assert len(webp) < LIMIT_BYTES
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
