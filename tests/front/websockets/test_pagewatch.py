"""One timer looks after all pages."""

import asyncio

import pytest

from databench.front.websockets.pagewatch import PageWatch
from databench.settings import Settings


class Page:
    def __init__(self):
        self.checks = asyncio.Queue()
        self.closed = []

    def check(self, now_s, limits):
        self.checks.put_nowait(now_s)

    def close(self, code, reason):
        self.closed.append((code, reason))


@pytest.fixture
def watch():
    return PageWatch(Settings(stall_limit_s=0.1))


async def test_each_page_is_looked_at_until_it_is_gone(watch):
    pages = [Page(), Page()]
    for page in pages:
        watch.add(page)
    assert len(watch) == 2
    for page in pages:
        await asyncio.wait_for(page.checks.get(), 5)
    watch.discard(pages[0])
    await asyncio.wait_for(pages[1].checks.get(), 5)
    await asyncio.wait_for(pages[1].checks.get(), 5)
    assert pages[0].checks.qsize() <= 1
    watch.discard(pages[1])
    assert len(watch) == 0


async def test_all_are_closed_and_the_timer_ends(watch):
    page = Page()
    watch.add(page)
    watch.close_all(1001, "the server stops")
    assert page.closed == [(1001, "the server stops")]
    assert watch._timer is None
