"""Work on many sessions: how much of it one turn of the loop holds."""

import asyncio

from databench.broker.sessions.parts import Parts


class Bench:
    """Counts the steps and the parts."""

    def __init__(self, rows):
        self.done = []
        self.parts_done = 0
        self.parts = Parts(asyncio.get_running_loop(), rows, self.end_part)

    def end_part(self):
        self.parts_done += 1

    def work(self, name, steps):
        for number in range(steps):
            self.done.append((name, number))
            yield


async def test_the_first_part_is_done_at_once_and_the_rest_in_turns_of_their_own():
    bench = Bench(rows=10)
    bench.parts.begin(bench.work("a", 25))
    assert len(bench.done) == 10
    await asyncio.sleep(0)
    assert len(bench.done) == 20
    await asyncio.sleep(0)
    assert bench.done == [("a", n) for n in range(25)]
    assert bench.parts_done == 2


async def test_works_wait_for_each_other_and_share_a_turn():
    bench = Bench(rows=10)
    bench.parts.begin(bench.work("a", 12))
    bench.parts.begin(bench.work("b", 3))
    bench.parts.begin(bench.work("c", 9))
    assert len(bench.done) == 10
    await asyncio.sleep(0)
    assert len(bench.done) == 20
    await asyncio.sleep(0)
    assert bench.done == [
        *(("a", n) for n in range(12)),
        *(("b", n) for n in range(3)),
        *(("c", n) for n in range(9)),
    ]


async def test_what_fits_a_turn_is_done_whole_and_leaves_nothing():
    bench = Bench(rows=10)
    for _ in range(3):
        bench.parts.begin(bench.work("a", 10))
        await asyncio.sleep(0)
    assert len(bench.done) == 30
    bench.parts.begin(iter(()))
    bench.parts.begin(bench.work("b", 1))
    assert bench.done[-1] == ("b", 0)
