"""Names and layouts that more than one part writes and reads."""

import re
from pathlib import Path

import pytest

from databench.protocol import variables

PACKAGE = Path(variables.__file__).resolve().parents[1]


def test_a_record_of_an_interrupt_is_two_numbers_of_64_bits():
    assert variables.INTERRUPT.pack(2**53, 1) == b"\0\0\0\0\0\0\x20\0" + b"\x01" + b"\0" * 7


@pytest.mark.parametrize(
    "fact", [variables.COVERAGE, variables.LOADING, variables.INTERRUPT.format]
)
def test_each_stands_in_one_place(fact):
    holders = [
        p.name for p in PACKAGE.rglob("*.py") if re.search(f"[\"']{fact}[\"']", p.read_text())
    ]
    assert holders == ["variables.py"]
