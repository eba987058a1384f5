"""The process's descriptors: the limit is raised, what is open is counted."""

import os
import resource
import subprocess
import sys

import pytest

from databench import descriptors

PROGRAM = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
from databench import descriptors
assert descriptors.find_started() is None
assert descriptors.raise_limit() == 200 == descriptors.limit()
assert descriptors.find_started() == 100
descriptors.restore_limit()
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (100, 200)
"""


def test_soft_limit_is_raised_to_the_hard_one_and_taken_back():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=30)


def test_limit_in_force_is_left_alone(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda number: (64, 64))
    assert descriptors.raise_limit() == 64
    assert descriptors.find_started() is None


@pytest.fixture(params=["counted by the system", "read"])
def way(request, monkeypatch):
    if request.param == "read":  # Linux before 6.2
        sizeless = os.stat_result((0,) * 10)
        monkeypatch.setattr(descriptors.os, "stat", lambda path: sizeless)
    return request.param


def test_open_descriptors_are_counted(way):
    before = descriptors.count()
    pair = os.pipe()
    try:
        assert descriptors.count() == before + 2
        assert descriptors.free() == descriptors.limit() - before - 2
    finally:
        for number in pair:
            os.close(number)
    assert descriptors.count() == before


def test_nothing_is_free_when_the_folder_cannot_be_read(monkeypatch):
    def refuse(path):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(descriptors.os, "stat", refuse)
    assert descriptors.free() == 0


def test_system_that_does_not_count_sets_no_limit(monkeypatch):
    monkeypatch.setattr(descriptors, "_FOLDER", "/nonexistent")
    assert descriptors.count() == 0
    assert descriptors.free() == descriptors.limit()
