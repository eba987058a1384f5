"""What the rows say of themselves: whether a kernel is in use, shared, and what is set aside."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from databench.broker import AnalysisSpec
from databench.broker.records import HostedSession, KernelPool, KernelRecord
from databench.broker.stores.class_data import ClassData
from databench.protocol.lifecycle import State
from databench.protocol.poison import Poison
from databench.protocol.session import Session
from databench.protocol.starts import Starts
from databench.settings import Settings

SETTINGS = Settings()


def make_record(pool):
    kernel = SimpleNamespace(
        settings=SETTINGS,
        life=SimpleNamespace(state=State.IDLE),
        blame=SimpleNamespace(starts=Starts(SETTINGS)),
    )
    record = KernelRecord(kernel, pool)
    pool.records.append(record)
    return record


def host(record, id_):
    session = Session(id_, epoch="e", request_args="", limits=SETTINGS)
    hosted = record.sessions[id_] = HostedSession(session, record)
    return hosted


@pytest.fixture
def pool():
    spec = AnalysisSpec("a", Path("/"), "none", Path("/"))
    return KernelPool(spec, ClassData(1000), Poison(SETTINGS))


def test_a_pool_has_the_sessions_of_all_its_kernels_and_one_store(pool):
    first, second = make_record(pool), make_record(pool)
    hosted = [host(first, "1"), host(second, "2"), host(second, "3")]
    assert list(pool.sessions) == hosted
    assert first.store is second.store is pool.store


def test_a_kernel_is_in_use_until_all_its_sessions_wait(pool):
    record = make_record(pool)
    assert not record.is_in_use
    host(record, "1")
    host(record, "2")
    record.waiting = 1
    assert record.is_in_use
    record.waiting = 2
    assert not record.is_in_use


def test_a_kernel_is_shared_while_another_session_has_a_page_or_runs_something(pool):
    record = make_record(pool)
    own, other = host(record, "1"), host(record, "2")
    record.shown[own] = None
    assert not record.is_shared(own)
    assert record.is_shared(other)
    own.session.requests[1] = SimpleNamespace(is_sent=True)
    own.session.requests[2] = SimpleNamespace(is_sent=False)  # still in the server
    record.open_requests = 1
    assert not record.is_shared(own)
    record.open_requests = 2
    assert record.is_shared(own)


def test_the_next_process_begins_with_its_whole_allowance(pool):
    record = make_record(pool)
    hosted = host(record, "1")
    record.mistakes, record.answer_bytes, record.stale = 7, 8, {"key"}
    record.mistakes_said["one"] = record.mistakes_said["two"] = None
    assert record.mistake == "two"
    record.withheld[hosted] = None
    record.stray.spend(10**9)
    assert record.stray.is_spent
    record.begin_life()
    assert (record.mistakes, record.mistake, record.answer_bytes) == (0, "", 0)
    assert (record.stale, record.withheld) == (set(), {})
    assert not record.stray.is_spent


def test_the_answers_of_a_kernel_that_was_frozen_do_not_end_it_for_a_small_window(pool):
    record = make_record(pool)
    record.kernel.settings = Settings(credit_window_bytes=1024)
    record.begin_life()
    for _ in range(100):  # pongs, all at once
        record.stray.spend(18)
    assert not record.stray.is_spent


def test_a_session_set_aside_says_why_unless_the_kernel_itself_has_failed(pool):
    record = make_record(pool)
    hosted, other = host(record, "1"), host(record, "2")
    record.kernel.blame.starts.aside["1"] = "it crashed"
    assert (hosted.set_aside_for, other.set_aside_for) == ("it crashed", "")
    record.kernel.life.state = State.FAILED
    assert hosted.set_aside_for == ""
