"""Credit, batches and their order, with a real kernel."""

import time

import pytest

from databench.protocol import messages as m
from tests.kernel.harness import Front, emits, value

pytestmark = pytest.mark.process

SOURCE = """
    import asyncio, time
    import databench

    class Demo(databench.Analysis):
        @databench.on
        def plain(self, n, size):
            for i in range(n):
                self.emit('tick', [i, 'x' * size])
            return 'end'

        @databench.on
        def plain_burst_then_wait(self):
            for i in range(700):
                self.emit('tick', i)
            while True:
                time.sleep(60)

        @databench.on
        async def awaited(self, n, size):
            for i in range(n):
                await self.emit('tick', [i, 'x' * size])
            return 'end'

        @databench.on
        def generator(self, n, size):
            for i in range(n):
                yield self.emit('tick', [i, 'x' * size])
            return 'end'

        @databench.on
        async def unawaited(self, n, size):
            for i in range(n):
                self.emit('tick', [i, 'x' * size])
            return 'end'

        @databench.on
        async def state(self, n):
            for i in range(n):
                self.set_state(a=i, b=-i)
            self.emit('after', n)

        @databench.on
        def logs(self, n):
            for i in range(n):
                self.emit('log', i)

        @databench.on
        async def steps(self):
            for i in self.progress(range(3)):
                await asyncio.sleep(0.06)

        @databench.on
        async def burst_then_compute(self):
            for i in range(30):
                await self.emit('tick', i)
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                pass
            self.emit('computed', 1)

        @databench.on
        async def mixture(self):
            for i in range(100):
                self.emit('tick', i)
                if i % 7 == 0:
                    self.set_state(n=i)
                if i % 31 == 0:
                    await asyncio.sleep(0)

        @databench.on
        async def share(self, n):
            self.set_class_state(n=n)

        @databench.on
        def echo(self, x):
            return x
"""
WINDOW = 4096


@pytest.fixture
def front():
    """A front that gives no credit back by itself."""
    with Front(SOURCE, window_bytes=WINDOW, auto_credit=False) as front:
        yield front


@pytest.fixture
def session(front):
    session = front.open()
    front.drain(0.02)
    return session


@pytest.mark.parametrize("action", ["plain", "awaited", "generator", "unawaited"])
def test_a_kernel_overdraws_its_credit_by_one_message_at_most(front, session, action):
    number = front.action(session, action, [200, 100])
    came = front.drain(0.3)
    one = front.cost[session] / len(came)
    assert WINDOW <= front.cost[session] < WINDOW + 2 * one
    seen = [v[0] for _, v in emits(came)]
    for _ in range(200):
        front.credit(session, 1000)
        came = front.drain(0.005)
        seen += [v[0] for _, v in emits(came)]
        ends = [x for x in came if isinstance(x, m.Done)]
        if ends:
            break
    assert seen == list(range(200))
    assert (ends[0].request, value(ends[0])) == (number, "end")


def test_what_nobody_awaits_is_bounded():
    with Front(
        SOURCE, window_bytes=WINDOW, auto_credit=False, settings={"unawaited_bytes": 2000}
    ) as front:
        session = front.open()
        number = front.action(session, "unawaited", [200, 100])
        front.wait_printed("OutOfCreditError")
        front.credit(session, 10**6)
        end, before = front.end(number)
        assert (type(end), end.type) == (m.Error, "OutOfCreditError")
        assert "limit 2000" in end.text
        assert [v[0] for _, v in emits(before)] == sorted(v[0] for _, v in emits(before))


def test_an_awaited_emit_larger_than_the_bound_goes_when_its_turn_comes():
    with Front(
        SOURCE, window_bytes=WINDOW, auto_credit=False, settings={"unawaited_bytes": 2000}
    ) as front:
        session = front.open()
        front.action(session, "awaited", [3, 5000])
        came = front.drain(0.1)
        for _ in range(4):
            front.credit(session, 6000)
            came += front.drain(0.05)
        assert [v[0] for _, v in emits(came)] == [0, 1, 2]
        assert isinstance(came[-1], m.Done)


def exhaust(front, session):
    front.run(session, "awaited", [1, WINDOW])


def test_state_out_of_credit_is_the_latest_per_key_and_comes_before_what_followed(front, session):
    exhaust(front, session)
    number = front.action(session, "state", 1000)
    assert front.drain(0.2) == []
    front.credit(session, 10 * WINDOW)
    end, before = front.end(number)
    assert type(end) is m.Done
    assert [(x.key, value(x)) for x in before if isinstance(x, m.StateChange)] == [
        ("a", 999),
        ("b", -999),
    ]
    assert isinstance(before[-1], m.Emit)


def test_logs_out_of_credit_are_dropped_and_counted(front, session):
    exhaust(front, session)
    end, before = front.run(session, "logs", 7)
    assert (type(end), before) == (m.Done, [])
    front.credit(session, 10 * WINDOW)
    number = front.action(session, "logs", 1)
    dropped = front.expect(m.Log, request=None)
    assert (dropped.level, value(dropped)[:22]) == ("warn", "7 log messages were dr")
    assert [value(x) for x in front.end(number)[1]] == [0]


def test_the_count_of_dropped_logs_may_take_the_credit_that_there_is(front, session):
    exhaust(front, session)
    front.run(session, "logs", 7)
    front.credit(session, front.cost[session] - WINDOW + 1)  # enough for one message
    number = front.action(session, "logs", 1)
    assert value(front.expect(m.Log, request=None))[:22] == "7 log messages were dr"
    assert front.end(number)[1] == []
    front.credit(session, 10 * WINDOW)
    front.action(session, "logs", 1)
    assert value(front.expect(m.Log, request=None))[:22] == "1 log messages were dr"


def test_progress_out_of_credit_is_the_latest(front, session):
    exhaust(front, session)
    number = front.action(session, "steps")
    assert front.drain(0.4) == []
    front.credit(session, 10 * WINDOW)
    _, before = front.end(number)
    assert [x.value for x in before] == [3]


def test_an_end_needs_no_credit_where_nothing_of_its_request_waits(front, session):
    waiting = front.action(session, "awaited", [3, WINDOW])
    front.drain(0.1)
    other = front.action(session, "echo", 5)
    assert value(front.end(other)[0]) == 5
    front.credit(session, 10 * WINDOW)
    front.drain(0.1)
    front.credit(session, 10 * WINDOW)
    assert type(front.end(waiting)[0]) is m.Done if front.received else True


@pytest.mark.parametrize("action", ["plain", "awaited", "generator"])
def test_one_that_waits_for_credit_can_be_cancelled(front, session, action):
    number = front.action(session, action, [1000, 100])
    front.drain(0.1)
    front.cancel(session, number)
    if action != "plain":
        # What it emitted before stays in front of its end.
        front.credit(session, 10**6)
    assert type(front.end(number)[0]) is m.Cancelled


def test_a_worker_that_waits_for_credit_can_be_cancelled(front, session):
    other = front.open()
    front.drain(0.02)
    numbers = {s: front.action(s, "plain", [1000, 100]) for s in (session, other)}
    front.drain(0.1)
    for s, number in numbers.items():
        front.cancel(s, number)
        assert type(front.end(number)[0]) is m.Cancelled


def test_a_session_that_closes_lets_go_who_waits(front, session):
    front.action(session, "plain", [1000, 100])
    front.drain(0.1)
    front.send(m.Close(session=session))
    again = front.open()
    assert value(front.run(again, "echo", 1)[0]) == 1


def test_other_sessions_have_their_own_credit(front, session):
    exhaust(front, session)
    other = front.open()
    assert value(front.run(other, "echo", 1)[0]) == 1


def test_class_data_costs_nothing(front, session):
    exhaust(front, session)
    spent = front.cost[session]
    number = front.action(session, "share", 5)
    state = front.expect(m.StateChange)
    assert (state.session, state.scope, state.key, value(state)) == (None, "class_data", "n", 5)
    end, _ = front.end(number)
    assert front.cost[session] - spent < 60
    assert type(end) is m.Done


# -- batches


def test_the_first_emits_of_a_coroutine_go_at_once_and_further_ones_in_batches():
    # A machine that stands still for less makes no new quiet spell.
    with Front(SOURCE, settings={"batch_wait_s": 0.1}) as front:
        session = front.open()
        front.drain(0.3)
        _, before = front.run(session, "awaited", [15, 1])
        assert front.messages_in_batches == 0
        assert len(before) == 15
        _, before = front.run(session, "awaited", [5000, 1])
        assert [v[0] for _, v in emits(before)] == list(range(5000))
        assert front.messages_in_batches > 4500


def test_the_first_emit_of_a_turn_goes_at_once_however_busy_the_kernel_is():
    with Front(SOURCE) as front:
        session = front.open()
        for _ in range(100):
            front.run(session, "awaited", [1, 1])
        assert front.messages_in_batches == 0


def test_emits_of_plain_methods_go_at_once():
    with Front(SOURCE) as front:
        session = front.open()
        _, before = front.run(session, "plain", [400, 1])
        assert [v[0] for _, v in emits(before)] == list(range(400))
        assert front.messages_in_batches == 0


def test_a_plain_loop_without_a_pause_sends_in_batches_and_in_order():
    with Front(SOURCE, settings={"batch_wait_s": 0.1}) as front:
        session = front.open()
        end, before = front.run(session, "plain", [3000, 1])
        assert [v[0] for _, v in emits(before)] == list(range(3000))
        assert type(end) is m.Done
        assert front.messages_in_batches > 2000


def test_a_batch_does_not_wait_for_a_plain_method_that_computes():
    with Front(SOURCE) as front:
        session = front.open()
        number = front.action(session, "plain_burst_then_wait")
        for expected in range(700):
            assert value(front.expect(m.Emit, request=number)) == expected
        front.cancel(session, number)  # it waits for ever, with nothing left lying
        assert type(front.end(number)[0]) is m.Cancelled


def test_a_batch_does_not_wait_for_a_coroutine_that_computes():
    with Front(SOURCE) as front:
        session = front.open()
        number = front.action(session, "burst_then_compute")
        for expected in range(30):
            assert value(front.expect(m.Emit, request=number)) == expected
        at_s = time.monotonic()
        assert front.expect(m.Emit, request=number).signal == "computed"
        assert time.monotonic() - at_s > 0.2


def test_batches_keep_the_order_of_everything():
    with Front(SOURCE) as front:
        session = front.open()
        for _ in range(20):
            end, before = front.run(session, "mixture")
            assert type(end) is m.Done
            assert [v for s, v in emits(before) if s == "tick"] == list(range(100))
            ticks = -1
            for message in before:
                if isinstance(message, m.StateChange):
                    assert value(message) == ticks
                else:
                    ticks = value(message)


def test_a_coroutine_that_emits_for_ever_lets_others_in():
    with Front(SOURCE) as front:
        session = front.open()
        number = front.action(session, "awaited", [10**7, 1])
        front.expect(m.Emit, request=number)
        front.send(m.Ping(number=8))
        assert front.expect(m.Pong).number == 8
        front.cancel(session, number)
        assert type(front.end(number)[0]) is m.Cancelled


def test_a_message_over_the_limit_is_refused():
    with Front(SOURCE, settings={"kernel_message_bytes": 70_000}) as front:
        session = front.open()
        end, _ = front.run(session, "awaited", [1, 80_000])
        assert (type(end), end.type) == (m.Error, "ValueError")
        assert "limit 70000" in end.text


LARGE = """
    import asyncio

    import databench

    class Weird:
        def tolist(self):
            raise LookupError("weird")

    class Demo(databench.Analysis):
        @databench.on
        def result(self, size):
            return "x" * size

        @databench.on
        async def result_later(self, size):
            return "x" * size

        @databench.on
        def state(self, size):
            self.data["value"] = "x" * size

        @databench.on
        def shared(self, size):
            self.class_data["value"] = "x" * size

        @databench.on
        async def changed(self, size):
            await self.class_data.change("value", lambda _old: "x" * size)

        @databench.on
        def line(self, size):
            self.emit("log", "x" * size)

        @databench.on
        def fails(self, size):
            raise ValueError("x" * size)

        @databench.on
        def weird(self):
            return Weird()

        @databench.on
        async def weird_later(self):
            return Weird()

        @databench.on
        def surrogate(self):
            self.data[chr(0xD800)] = 1

        @databench.on
        def held(self):
            return [self.data.keys(), self.class_data.keys()]
"""


@pytest.mark.parametrize("action", ["result", "result_later", "state", "shared", "changed", "line"])
def test_nothing_over_the_limit_costs_the_connection(action):
    with Front(LARGE, settings={"kernel_message_bytes": 70_000}) as front:
        session = front.open()
        end, _ = front.run(session, action, [80_000])
        assert (type(end), getattr(end, "type", None)) == (m.Error, "ValueError")
        assert "80002 bytes, limit 70000" in end.text
        end, _ = front.run(session, "held")
        assert end.payload == b"[[],[]]"


def test_a_failure_with_a_huge_text_costs_no_connection():
    with Front(LARGE, settings={"kernel_message_bytes": 70_000}) as front:
        session = front.open()
        end, _ = front.run(session, "fails", [80_000])
        assert (type(end), end.type) == (m.Error, "ValueError")
        assert len(end.text) + len(end.payload) < 70_000


@pytest.mark.parametrize("action", ["weird", "weird_later"])
def test_a_result_that_raises_while_it_is_read_fails_its_action_alone(action):
    with Front(LARGE) as front:
        session = front.open()
        end, _ = front.run(session, action)
        assert (type(end), end.type, end.text) == (m.Error, "LookupError", "LookupError: weird")
        end, _ = front.run(session, "held")
        assert end.payload == b"[[],[]]"


def test_a_key_that_cannot_be_told_is_not_stored():
    with Front(LARGE) as front:
        session = front.open()
        end, _ = front.run(session, "surrogate")
        assert "not Unicode" in end.text
        end, _ = front.run(session, "held")
        assert end.payload == b"[[],[]]"
