"""Readmes for pages: in a thread, within a size and a time."""

import asyncio
import dataclasses
import threading
import time

import pytest

from databench.config import Entry
from databench.front.content import readmes
from databench.front.content.readmes import Readmes, run_in_thread
from databench.front.content.sources import PageSources
from databench.settings import Settings

LOG = pytest.mark.expected_log("its first part is shown as it is written")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "README.md").write_text("# one")
    return tmp_path


async def test_a_readme_is_made_in_a_thread_and_once(folder, monkeypatch):
    threads = []

    class Readme(readmes.Readme):
        @property
        def html(self):
            threads.append(threading.current_thread())
            return super().html

    monkeypatch.setattr(readmes, "Readme", Readme)
    made = Readmes(Settings())
    answers = await asyncio.gather(*(made.make_of_folder(folder) for _ in range(3)))
    assert set(answers) == {"<h1>one</h1>\n"}
    assert len(threads) == 1 and threads[0] is not threading.main_thread()
    (folder / "README.md").write_text("# another")
    assert await made.make_of_folder(folder) == "<h1>another</h1>\n"


async def test_a_page_hears_of_what_its_readme_is_made_of(folder, settled):
    made = Readmes(Settings())
    of_file, of_index = PageSources(), PageSources()
    await made.make(Entry("x", folder), of_file)
    await made.make(Entry("x", folder, readme="words"), of_index)
    assert of_file.paths == {str(folder), str(folder / "README.md")}
    assert of_index.paths == set()
    assert of_file.is_settled and of_index.is_settled


async def test_text_of_the_index_comes_first(folder):
    entry = Entry("x", folder, readme="*own*")
    made = Readmes(Settings())
    assert await made.make(entry) == "<p><em>own</em></p>\n"
    assert await made.make(dataclasses.replace(entry, readme=None)) == "<h1>one</h1>\n"
    assert await made.make(Entry("y", folder / "none")) is None


@LOG
async def test_a_readme_that_is_too_large_is_shown_as_it_is_written(folder):
    (folder / "README.md").write_text("# <b>" + "x" * 200_000)
    made = Readmes(Settings(readme_bytes=1024))
    text = await made.make_of_folder(folder)
    assert text.startswith(
        "<p>README.md: 200,005 bytes, limit 1,024 (readme_bytes); its first part is shown as it "
        "is written</p>\n<pre># &lt;b&gt;xxx"
    )
    assert len(text) < 70_000
    assert "index.yaml: 5,000 bytes" in await made.make(Entry("x", folder, readme="#" * 5000))


@LOG
async def test_a_readme_that_takes_too_long_is_shown_as_it_is_written(folder, monkeypatch):
    ended = threading.Event()

    def forever(text):
        try:
            while True:
                time.sleep(0.001)
        finally:
            ended.set()

    monkeypatch.setattr("databench.readme.readme._RENDERERS", {".md": forever})
    made = Readmes(Settings(readme_limit_s=0.1))
    text = await made.make_of_folder(folder)
    assert "not ready after 0.1 s, limit (readme_limit_s)" in text
    assert "<pre># one</pre>" in text
    assert await asyncio.to_thread(ended.wait, 30)  # its thread has ended


@LOG
async def test_a_readme_that_breaks_the_renderer_is_shown_as_it_is_written(folder, monkeypatch):
    def fail(text):
        raise RecursionError("too deep <i>")

    monkeypatch.setattr("databench.readme.readme._RENDERERS", {".md": fail})
    text = await Readmes(Settings()).make_of_folder(folder)
    assert "README.md: too deep &lt;i&gt;; its first part" in text


async def test_readmes_are_made_before_a_page_asks(folder):
    index = type("Index", (), {"folder": folder, "entries": {"x": Entry("x", folder, readme="a")}})
    made = Readmes(Settings())
    made.warm_up(index)
    await made._warming
    assert len(made._made) == 2


async def test_what_a_function_raises_comes_out_of_its_thread():
    def fail():
        raise LookupError("3")

    with pytest.raises(LookupError, match="3"):
        await run_in_thread(fail, 30)
    assert await run_in_thread(lambda: "x", 30) == "x"


async def test_old_versions_are_forgotten(folder, monkeypatch):
    monkeypatch.setattr(readmes, "_KEPT", 2)
    made = Readmes(Settings())
    for number in range(5):
        await made.make(Entry("x", folder, readme=str(number)))
    assert len(made._made) == 2


@LOG
async def test_without_a_thread_it_is_shown_as_it_is_written_and_made_when_there_is_one(
    folder, few_threads
):
    made = Readmes(Settings())
    sources = PageSources()
    with few_threads(0):
        answer = await made.make_of_folder(folder, sources)
    assert not sources.is_settled  # no page that shows it is kept
    assert "README.md: the system allows no further thread" in answer
    assert "<pre># one</pre>" in answer
    assert await made.make_of_folder(folder) == "<h1>one</h1>\n"
