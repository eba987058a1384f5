"""What waits to be written: the newest of each, and never more than the state itself."""

from databench.broker.stores.base import Contents, Pending
from databench.protocol.saved import Saved

SAVED = Saved("a", "", None, False)
NEWER = Saved("a", "?n", None, False)


def test_nothing_waits_at_first_and_after_it_was_taken():
    pending = Pending()
    assert not pending
    pending.put_session("s", SAVED)
    assert pending
    assert pending.take() == Contents(sessions={"s": SAVED})
    assert not pending


def test_a_session_that_no_store_knows_leaves_nothing_when_it_is_dropped():
    pending = Pending()
    pending.put_session("s", SAVED)
    pending.put_value("s", "k", b"1", b"1")
    pending.drop_session("s")
    assert not pending


def test_a_session_that_a_store_holds_is_to_be_forgotten():
    for pending in (Pending(["s"]), Pending()):
        pending.put_session("s", SAVED)
        pending.take()
        pending.put_value("s", "k", b"1", b"1")
        pending.drop_session("s")
        assert pending.take() == Contents(gone={"s"})
        pending.drop_session("s")
        assert not pending  # it is gone already


def test_what_could_not_be_written_waits_below_what_came_since():
    pending = Pending()
    pending.put_session("s", SAVED)
    pending.put_value("s", "old", b"1", b"1")
    pending.put_value("s", "k", b"1", b"1")
    taken = pending.take()
    pending.put_value("s", "k", b"2", b"2")
    pending.put_session("s", NEWER)
    pending.put_back(taken)
    values = {"s": {"old": (b"1", b"1"), "k": (b"2", b"2")}}
    assert pending.take() == Contents(sessions={"s": NEWER}, values=values)


def test_a_session_dropped_while_it_could_not_be_written_leaves_nothing():
    pending = Pending()
    for number in range(100):  # however long the disk is full
        pending.put_session(f"s{number}", SAVED)
        taken = pending.take()
        pending.drop_session(f"s{number}")
        pending.put_back(taken)
        assert not pending


def test_one_that_the_store_held_before_is_still_forgotten():
    pending = Pending(["s"])
    pending.put_value("s", "k", b"1", b"1")
    taken = pending.take()
    pending.drop_session("s")
    pending.put_back(taken)
    taken = pending.take()
    assert taken == Contents(gone={"s"})
    pending.put_back(taken)
    assert pending.take() == Contents(gone={"s"})
