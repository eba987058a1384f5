"""The timer for parts of a millisecond, on the real system."""

import asyncio
import os
import sys

import pytest

from databench.broker.alarm import Alarm
from tests.broker.harness import wait_until

linux = pytest.mark.skipif(sys.platform != "linux", reason="timerfd: Linux alone has it")


@linux
async def test_it_rings_once_for_each_time_that_it_is_set():
    rings = []
    alarm = Alarm(asyncio.get_running_loop(), lambda: rings.append(1))
    assert alarm.is_there
    for count in (1, 2):
        alarm.set(0.0002)
        await wait_until(lambda count=count: len(rings) == count)
    alarm.set(3600)  # replaces what was set
    alarm.set(0)  # 0 is now, not never
    await wait_until(lambda: len(rings) == 3)
    alarm.close()


@linux
async def test_a_closed_one_does_not_ring_and_leaves_no_descriptor():
    before = set(os.listdir("/proc/self/fd"))
    alarm = Alarm(asyncio.get_running_loop(), lambda: pytest.fail("rang after its end"))
    alarm.set(0.0001)
    alarm.close()
    alarm.close()
    assert not alarm.is_there
    assert set(os.listdir("/proc/self/fd")) == before


async def test_where_the_system_has_none_it_is_not_there(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    alarm = Alarm(asyncio.get_running_loop(), lambda: None)
    assert not alarm.is_there
    alarm.close()
