"""An iterable that says how far it is."""

import databench
from databench.progress import ProgressIterator


class Sink:
    """An outlet that remembers."""

    def __init__(self):
        self.said = []

    def progress(self, value, total):
        self.said.append((value, total))


async def test_progress_says_how_far_it_is():
    demo = databench.Analysis()
    demo._outlet = sink = Sink()
    assert list(demo.progress("ab")) == ["a", "b"]
    assert sink.said == [(0, 2), (1, 2), (2, 2)]
    sink.said.clear()
    assert list(demo.progress(iter("ab"))) == ["a", "b"]
    assert sink.said == [(0, None), (1, None), (2, None)]
    sink.said.clear()

    async def items():
        yield 1
        yield 2

    assert [x async for x in demo.progress(items(), total=2)] == [1, 2]
    assert [x async for x in demo.progress([3])] == [3]
    assert sink.said == [(0, 2), (1, 2), (2, 2), (0, 1), (1, 1)]
    assert list(ProgressIterator([1], None, None)) == [1]
