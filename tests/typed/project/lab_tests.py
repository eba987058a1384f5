"""Tests and a figure, typed."""

from __future__ import annotations

import tornado.testing
from analysis import Lab
from matplotlib.figure import Figure

import databench
from databench.testing import MISSING, AnalysisTest


def test_plain() -> None:
    with AnalysisTest(Lab, cli_args=["--fast"], request_args={"a": ["1"]}) as test:
        test.trigger("plain", [1], callback=print)
        signal, message = test.emitted_messages[0]
        assert signal == "nothing" and message is MISSING


async def test_slow() -> None:
    test = AnalysisTest(Lab(), request_args="?a=1", meta=databench.Meta)
    await test.trigger("slow")


class LabTest(tornado.testing.AsyncTestCase):
    @tornado.testing.gen_test
    async def test_slow(self) -> None:
        await databench.testing.AnalysisTest(Lab).trigger("slow", {"__process_id": 3})

    def test_wait(self) -> None:
        AnalysisTest(Lab).trigger("slow", callback=self.stop)
        self.wait()


def figure() -> str:
    drawn = Figure()
    return databench.utils.fig_to_src(drawn, image_format="svg", dpi=100)
