import signal

import pytest

from databench.conformance.process import KernelProcess
from databench.errors import KernelError
from databench.protocol.variables import INTERRUPT

pytestmark = pytest.mark.process
_LIMIT_S = 20


@pytest.fixture
def start(tmp_path):
    started = []

    def run(script, **variables):
        started.append(KernelProcess(("/bin/sh", "-c", script), variables, tmp_path))
        return started[-1]

    yield run
    for process in started:
        process.close()


def test_output_and_status_are_kept(start):
    process = start('echo "$WORD"; pwd >&2; exit 3', WORD="out")
    assert process.wait_exit(_LIMIT_S)
    process._reader.join(_LIMIT_S)
    assert process.status == 3
    assert process.lines[0] == "out"
    assert len(process.lines) == 2


def test_it_ends_when_its_input_does(start):
    process = start("cat")
    assert not process.wait_exit(0.05)
    process.end_input()
    assert process.wait_exit(_LIMIT_S)


def test_an_interrupt_is_a_record_and_a_signal(start):
    # dash knows descriptors of one digit alone.
    take = 'eval "exec 9</dev/fd/$DATABENCH_INTERRUPT_FD"; head -c 16 <&9; exit 0'
    process = start(f"trap '{take}' INT; echo on; cat; cat")
    while "on" not in process.lines:
        assert process.status is None
    process.interrupt(7, 2)
    process.end_input()
    assert process.wait_exit(_LIMIT_S)
    process._reader.join(_LIMIT_S)
    assert INTERRUPT.pack(7, 2).decode() in "".join(process.lines)


def test_a_signal_reaches_it_and_one_after_its_end_does_nothing(start):
    process = start("cat")
    process.signal(signal.SIGTERM)
    assert process.wait_exit(_LIMIT_S)
    assert process.status == -signal.SIGTERM
    process.signal(signal.SIGTERM)


def test_its_children_end_with_it(tmp_path):
    process = KernelProcess(("/bin/sh", "-c", "sleep 1000 & echo on; cat"), {}, tmp_path)
    while "on" not in process.lines:
        assert process.status is None
    process.close()
    assert process.status == -signal.SIGKILL


def test_a_command_that_is_not_there_is_said(tmp_path):
    with pytest.raises(KernelError, match=r"'/none' cannot be started: .*No such file"):
        KernelProcess(("/none",), {}, tmp_path)
