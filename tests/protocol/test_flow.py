"""Credit: none is lost, a kernel that obeys is never blamed, one that does not is found."""

from collections import deque

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from databench.protocol.flow import GRANTS, STRAY_BYTES, Allowance, ReceiveWindow, Unread

WINDOW = 1000


class ObeyingKernel(RuleBasedStateMachine):
    """A front, a kernel that obeys, and what is on its way between them, both ways."""

    def __init__(self):
        super().__init__()
        self.receive_window = ReceiveWindow(WINDOW)
        self.credit = WINDOW
        self.to_front = deque()
        self.to_kernel = deque()
        self.offset = 0
        self.delivered = 0

    @precondition(lambda self: self.credit > 0)
    @rule(size_bytes=st.integers(1, 3 * WINDOW))
    def kernel_sends(self, size_bytes):
        self.credit -= size_bytes
        self.to_front.append((size_bytes, True))

    @rule(size_bytes=st.integers(1, 9 * WINDOW))
    def kernel_sends_an_end(self, size_bytes):
        self.credit -= size_bytes
        self.to_front.append((size_bytes, False))

    @precondition(lambda self: self.to_front)
    @rule(makes_frame=st.booleans())
    def front_receives(self, makes_frame):
        size_bytes, needs_credit = self.to_front.popleft()
        if makes_frame:
            self.offset += 1
            self.receive_window.charge(self.offset, size_bytes, needs_credit=needs_credit)
        else:
            self.receive_window.owed_bytes += size_bytes

    @rule(data=st.data())
    def page_drains(self, data):
        self.delivered = data.draw(st.integers(self.delivered, self.offset))
        self.receive_window.deliver(self.delivered)

    @rule()
    def last_page_leaves(self):
        self.delivered = self.offset
        self.receive_window.deliver_all()

    @rule()
    def front_gives_credit(self):
        size_bytes = self.receive_window.take_owed()
        assert size_bytes == 0 or size_bytes * 4 >= WINDOW
        if size_bytes:
            self.to_kernel.append(size_bytes)

    @precondition(lambda self: self.to_kernel)
    @rule()
    def kernel_receives(self):
        self.credit += self.to_kernel.popleft()

    @invariant()
    def no_credit_is_lost(self):
        receive_window = self.receive_window
        assert (
            receive_window.credit_bytes + receive_window.in_flight_bytes + receive_window.owed_bytes
            == WINDOW
        )
        assert receive_window.in_flight_bytes >= 0
        assert receive_window.owed_bytes >= 0
        on_the_way = sum(size for size, _ in self.to_front) + sum(self.to_kernel)
        assert self.credit + on_the_way == receive_window.credit_bytes

    @invariant()
    def it_is_never_blamed(self):
        assert self.receive_window.overdraft_bytes == 0
        assert not self.receive_window.is_overdrawn

    def teardown(self):
        """When all is delivered, it has at least three quarters of the window again."""
        while self.to_front:
            self.front_receives(makes_frame=True)
        self.receive_window.deliver(self.offset)
        self.front_gives_credit()
        while self.to_kernel:
            self.kernel_receives()
        assert WINDOW * 3 < self.credit * 4 <= WINDOW * 4


TestObeyingKernel = pytest.mark.slow(ObeyingKernel.TestCase)


def test_kernel_that_ignores_its_credit_is_found_beyond_twice_the_window():
    receive_window = ReceiveWindow(WINDOW)
    receive_window.charge(1, WINDOW)  # this much it may
    receive_window.charge(2, 2 * WINDOW)
    assert (receive_window.overdraft_bytes, receive_window.is_overdrawn) == (2 * WINDOW, False)
    receive_window.charge(3, 1)
    assert receive_window.is_overdrawn


def test_one_message_below_zero_is_no_overdraft():
    receive_window = ReceiveWindow(WINDOW)
    receive_window.charge(1, WINDOW - 1)
    receive_window.charge(2, 10 * WINDOW)
    assert receive_window.credit_bytes == 1 - 10 * WINDOW
    assert receive_window.overdraft_bytes == 0


def test_credit_of_exactly_zero_is_none():
    receive_window = ReceiveWindow(WINDOW)
    receive_window.charge(1, WINDOW)
    receive_window.charge(2, 1)
    assert receive_window.overdraft_bytes == 1


def test_ends_overdraw_nothing():
    receive_window = ReceiveWindow(WINDOW)
    for offset in range(1, 100):
        receive_window.charge(offset, WINDOW, needs_credit=False)
    assert not receive_window.is_overdrawn
    assert receive_window.in_flight_bytes == 99 * WINDOW


def test_overdraft_is_forgiven_by_what_is_given_back():
    receive_window = ReceiveWindow(WINDOW)
    receive_window.charge(1, WINDOW)
    receive_window.charge(2, WINDOW)
    receive_window.deliver(2)
    assert receive_window.take_owed() == 2 * WINDOW
    assert receive_window.overdraft_bytes == 0


@pytest.mark.parametrize(("owed_bytes", "given_bytes"), [(0, 0), (249, 0), (250, 250), (900, 900)])
def test_credit_is_given_from_a_quarter_of_the_window_on(owed_bytes, given_bytes):
    receive_window = ReceiveWindow(WINDOW)
    if owed_bytes:
        receive_window.charge(1, owed_bytes)
        receive_window.deliver(1)
    assert receive_window.take_owed() == given_bytes
    assert receive_window.owed_bytes == owed_bytes - given_bytes


def test_only_what_the_page_has_is_freed():
    receive_window = ReceiveWindow(WINDOW)
    for offset in (1, 3, 5):
        receive_window.charge(offset, 100)
    receive_window.deliver(3)
    assert (receive_window.in_flight_bytes, receive_window.owed_bytes) == (100, 200)
    receive_window.deliver(1)  # a slower page
    assert (receive_window.in_flight_bytes, receive_window.owed_bytes) == (100, 200)
    receive_window.deliver(4)
    assert receive_window.in_flight_bytes == 100
    receive_window.deliver(5)
    assert (receive_window.in_flight_bytes, receive_window.owed_bytes) == (0, 300)


def test_all_is_freed_when_no_page_is_there():
    receive_window = ReceiveWindow(WINDOW)
    receive_window.charge(1, 600)
    receive_window.deliver_all()
    receive_window.deliver(1)  # nothing twice
    assert receive_window.take_owed() == 600
    assert receive_window.credit_bytes == WINDOW


# -- what no session pays for ----------------------------------------------------------------------


def test_what_no_session_pays_for_is_spent_and_each_message_costs_what_it_holds():
    allowance = Allowance(1000)
    allowance.spend(700)
    allowance.spend(1)  # as much as a small message holds while it waits
    assert not allowance.is_spent
    allowance.spend(200)
    assert allowance.is_spent


def test_who_keeps_up_may_go_on():
    allowance = Allowance(1000)
    for _ in range(10):
        allowance.spend(900)
        assert not allowance.is_spent
        allowance.renew()
    assert allowance.left_bytes == 1000


def test_a_closed_session_leaves_a_window_for_what_is_on_its_way():
    allowance = Allowance(1000)
    for _ in range(100):
        allowance.grant()
    assert allowance.left_bytes == GRANTS * 1000
    allowance.renew()
    assert allowance.left_bytes == GRANTS * 1000


# ---------------------------------------------------------------- what a kernel has not read


def test_sessions_that_were_not_read_have_a_limit_and_half_of_it_is_free_before_the_next():
    unread = Unread(1000, 100)
    for session in "abcd":
        unread.open(session, 300)
        assert unread.is_full is (session == "d")
    assert not unread.opened("a")
    assert unread.is_full
    assert unread.opened("c")  # and so b
    assert unread.size_bytes == 300
    assert not unread.opened("c")


def test_a_session_costs_more_than_its_state_and_is_counted_once():
    unread = Unread(1000, 100)
    for _ in range(3):
        unread.open("a", 0)
    assert unread.size_bytes == STRAY_BYTES


def test_a_kernel_that_answers_has_read_all():
    unread = Unread(1000, 100)
    assert not unread.read_all()
    unread.open("a", 2000)
    assert unread.read_all()
    assert (unread.size_bytes, unread.is_full) == (0, False)


def test_credit_that_no_page_has_drained_is_lent_so_often():
    unread = Unread(1000, 100)
    asked = [unread.lend(100) for _ in range(GRANTS + 1)]
    assert asked == [False] * GRANTS + [True]
    assert unread.is_lent_out
    unread.read_all()
    assert not unread.is_lent_out
