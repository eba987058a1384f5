"""A server's loop: which one, and only where none runs."""

import sys

import pytest

from databench.errors import SettingError
from databench.http import loops


def test_loop_is_uvloops_where_that_is_installed(monkeypatch):
    for module, name in ((None, "asyncio"), ("uvloop", "uvloop")):
        if module is None:
            monkeypatch.setitem(sys.modules, "uvloop", None)
        else:
            monkeypatch.undo()
        loop = loops.new_loop()
        assert type(loop).__module__.startswith(name)
        loop.close()


def test_without_a_running_loop_a_server_may_start():
    loops.refuse_running_loop("a server")


async def test_where_a_loop_runs_none_is_started():
    with pytest.raises(SettingError, match="a server starts an event loop, but one is already"):
        loops.refuse_running_loop("a server")
