"""The actions that a page without a template offers."""

import os
from pathlib import Path

import pytest

from databench.config import Entry
from databench.front.content.offeredactions import find_actions, find_known, find_offered

SMALL = """
import databench


class Pi(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(samples=1, pi=None)

    @databench.on
    def run(self):
        pass

    @databench.on(idempotent=True)
    async def again(self, n=3, *, more=False, **rest):
        pass

    @databench.on
    def samples(self, value):
        pass

    @databench.on
    def named(self, *, value):
        pass

    @databench.on_action('two words')
    @databench.on_action('*')
    def other(self, *args):
        pass

    def on_old(self):
        pass

    def helper(self):
        pass

    def on_set_state(self):
        pass
"""


def test_what_needs_no_argument_can_be_pressed():
    assert find_actions(SMALL) == ("run", "again", "two words", "old")


def test_actions_of_a_base_in_the_file_count_and_the_nearest_holds():
    source = """
from databench import Analysis, on

class Base(Analysis):
    @on
    def shared(self): ...
    @on
    def run(self): ...

class Own(Base):
    @on
    def run(self, n): ...
    @on
    def more(self): ...
"""
    assert find_actions(source) == ("shared", "more")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "class A(:",
        "\0",
        "class A: ...",
        "class A(B.Analysis): ...\nclass C(B.Analysis): ...",
        "class A(A): ...",
        "class A(Analysis, f()): x = 1",
        "(" * 5000,
    ],
)
def test_source_without_one_analysis_offers_nothing(source):
    assert find_actions(source) == ()


def test_so_many_buttons_and_no_more():
    methods = "\n".join(f"    def on_a{n}(self): ..." for n in range(200))
    assert len(find_actions(f"class A(Analysis):\n{methods}\n")) == 50


def test_file_is_read_again_when_it_was_saved(tmp_path, settled):
    entry = Entry("pi", tmp_path)
    assert find_offered(entry) == ()
    file = tmp_path / "analysis.py"
    file.write_text(SMALL)
    assert find_known(entry) is None
    assert "run" in find_offered(entry)
    assert find_known(entry) == find_offered(entry)
    file.write_text("class A(Analysis):\n    def on_new(self): ...\n")
    os.utime(file, (1, 1))
    assert find_offered(entry) == ("new",)
    file.write_text("class A(Analysis):\n    def on_old(self): ...\n")
    os.utime(file, (1, 1))  # as long, and as old
    assert find_offered(entry) == ("old",)
    file.write_text("class A(Analysis):\n    def on_new(self): ...\n")
    assert find_offered(Entry("pi", Path("/nowhere"), file=file)) == ("new",)
    assert find_offered(Entry("pi", tmp_path, kernel="node")) == ()
    file.write_text("#" * 2**17 + "\n")
    assert find_offered(entry) == ()
