"""An action that may run twice, amid which its kernel is killed: what its page shows."""

import pytest
from playwright.sync_api import expect

CODE = """\
import asyncio

import databench


class Fits(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(runs=0)

    @databench.on(idempotent=True)
    async def fit(self):
        self.data['runs'] += 1
        for step in self.progress(range(4)):
            self.emit('log', f"run {self.data['runs']}, step {step}")
            if step == 2 and self.data['runs'] == 1:
                await asyncio.sleep(60)
        await self.finish()

    async def finish(self):
        while not self.data.get('may_end'):
            await asyncio.sleep(0.01)

    @databench.on
    def end(self):
        self.data['may_end'] = True
"""
PAGE = """\
{% extends "analysis.html" %}
{% block analysis %}<button data-action="fit">Fit</button> <button data-cancel="fit">Cancel</button>
<progress data-progress="fit" aria-label="Fit"></progress>
<button data-action="end">End</button>{% end %}
"""


@pytest.fixture
def app(tmp_path, serve):
    app = tmp_path / "analyses" / "fits"
    app.mkdir(parents=True)
    (app / "analysis.py").write_text(CODE)
    (app / "index.html").write_text(PAGE)
    return serve(app.parent)


def test_its_page_says_so_and_shows_one_end(app, pages):
    pages.allow("is run again")
    page = pages.open(app, "/fits/")
    fit = page.get_by_role("button", name="Fit")
    fit.click()
    expect(page.locator("#log")).to_contain_text("run 1, step 2")
    app.kernel("fits").kill()
    expect(page.locator("#log")).to_contain_text("run 2, step 3")
    expect(page.locator("#log")).to_contain_text("'fit' is run again.")
    notice = page.locator("#databench-alerts")
    expect(notice).to_contain_text("The kernel ended; “fit” is running again")
    expect(fit).to_be_disabled()
    page.reload()
    expect(notice).to_contain_text("The kernel ended; “fit” is running again")
    page.get_by_role("button", name="End").click()
    expect(fit).to_be_enabled()
    expect(notice).not_to_contain_text("fit")
    expect(page.locator("#log")).to_contain_text("run 1, step 2")
