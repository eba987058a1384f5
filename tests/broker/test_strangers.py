"""Peers whose routing id is no kernel's: what the log says, how often, and who is rejected."""

from types import SimpleNamespace

import msgpack
import pytest

from databench.broker.strangers import LOOK_S, LOOKS, WRONG_ID, Strangers
from databench.protocol import codec
from databench.protocol import messages as m

pytestmark = pytest.mark.expected_log("does not belong to this server")


class Kernel:
    def __init__(self, token):
        self.token, self.rejected = token, []
        self.reject = self.rejected.append

    def expects(self, token):
        return token == self.token


class Rig:
    """Strangers beside one kernel that has not said hello, with a clock that is moved by hand."""

    def __init__(self):
        self.now_s, self.kernel, self.sent = 100.0, Kernel("secret"), []
        tables = SimpleNamespace(
            loop=SimpleNamespace(time=lambda: self.now_s),
            by_routing={b"k1.1.word": SimpleNamespace(kernel=self.kernel)},
            channel=SimpleNamespace(send=lambda *sent: self.sent.append(sent)),
        )
        self.strangers = Strangers(tables)

    def meet(self, *frames, name=b"my-kernel"):
        self.strangers.meet(name, frames)


@pytest.fixture
def rig():
    return Rig()


def hello(token):
    return codec.encode(m.Hello(token=token, language="x", library="x", capabilities=()))


def test_a_hello_with_a_kernels_token_rejects_that_kernel_and_its_peer(rig, caplog):
    rig.meet(*hello("secret"))
    assert rig.kernel.rejected == [WRONG_ID]
    ((name, frames),) = rig.sent
    assert (name, codec.decode_to_kernel(frames)) == (b"my-kernel", m.Reject(reason=WRONG_ID))
    assert caplog.records == []  # the kernel says it


def test_a_hello_with_another_token_is_logged_without_it(rig, caplog):
    rig.meet(*hello("guessed"))
    assert rig.kernel.rejected == rig.sent == []
    assert "sent 'hello' in 2 frames (" in caplog.text
    assert "guessed" not in caplog.text


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([], "sent an unreadable message in 0 frames ( bytes)"),
        ([b"junk", b""], "sent an unreadable message in 2 frames (4, 0 bytes)"),
        ([msgpack.packb([b"emit", b"s", 1]), b"12345"], "sent 'emit' in 2 frames (11, 5 bytes)"),
        ([b"x"] * 9, "in 9 frames (1, 1, 1, 1, 1, 1, 1, 1, … bytes)"),
    ],
)
def test_what_came_is_said_by_kind_and_sizes(rig, caplog, frames, said):
    rig.meet(*frames)
    assert said in caplog.text


def test_one_is_said_in_a_time_and_the_next_says_how_many_there_were(rig, caplog):
    for _ in range(1000):
        rig.meet(b"junk")
    rig.now_s += LOOK_S
    rig.meet(b"junk")
    first, second = (record.getMessage() for record in caplog.records)
    assert "more since" not in first
    assert "(999 more since the last such line)" in second


def test_so_many_hellos_are_looked_at_in_a_time(rig):
    for _ in range(LOOKS):
        rig.meet(*hello("guessed"))
    rig.meet(*hello("secret"))
    assert rig.kernel.rejected == []
    rig.now_s += LOOK_S
    rig.meet(*hello("secret"))
    assert rig.kernel.rejected == [WRONG_ID]


def test_the_last_words_of_an_earlier_process_say_nothing(rig, caplog):
    rig.meet(*hello("secret"), name=b"k1.1.another word")
    assert (caplog.records, rig.kernel.rejected) == ([], [])
