"""Freed memory is kept, so that the next large message takes no pages from the system."""

import ctypes
import platform
import subprocess
import sys

import pytest

from databench.front.startup import allocator

# As a message does on its way: a few blocks at once, all freed together.
_FAULTS = """
import resource, sys
from databench.front.startup import allocator
if sys.argv[1] == "kept":
    assert allocator.keep_freed()

def pass_on():
    blocks = [bytes(2**20 + number) for number in range(6)]
    return len(b"".join(blocks))

for _ in range(5):
    pass_on()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    pass_on()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def count_faults(way):
    command = [sys.executable, "-c", _FAULTS, way]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.slow
@pytest.mark.process
def test_large_blocks_take_no_pages_again():
    if platform.libc_ver()[0] != "glibc":
        assert not allocator.keep_freed()
        return
    assert count_faults("kept") < 50
    assert count_faults("given back") > 10_000


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert not allocator.keep_freed()


_FREEZE = """
import gc
from databench.front.startup import allocator
loaded = [{"a": object()} for _ in range(1000)]
allocator.exempt_loaded()
younger = [[number] for number in range(10)]
tracked = {id(one) for one in gc.get_objects()}
print(any(id(one) in tracked for one in loaded), all(id(one) in tracked for one in younger))
"""


@pytest.mark.process
def test_what_is_loaded_is_not_looked_at_for_garbage_and_what_comes_later_is():
    told = subprocess.run(
        [sys.executable, "-c", _FREEZE], capture_output=True, check=True, text=True
    )
    assert told.stdout.split() == ["False", "True"]
