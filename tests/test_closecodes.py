"""The close codes, beside the document that says them."""

import re
from pathlib import Path

from databench import closecodes

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "protocol.md"
CODES = {name: value for name, value in vars(closecodes).items() if isinstance(value, int)}


def test_each_code_is_its_own_and_may_be_sent():
    assert len(set(CODES.values())) == len(CODES)
    # RFC 6455 section 7.4: these are never sent in a frame.
    assert not {1004, 1005, 1006, 1015} & set(CODES.values())
    assert all(1000 <= code < 1016 or 4000 <= code < 5000 for code in CODES.values())


def test_the_protocol_names_each_code_and_no_other():
    rows = re.findall(r"^\| (\d{4}) \|", DOCUMENT.read_text(), re.MULTILINE)
    assert rows == sorted(str(code) for code in CODES.values())
