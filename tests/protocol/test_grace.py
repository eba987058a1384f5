"""How long a session without a page is kept."""

from types import SimpleNamespace

from databench.protocol.grace import find_grace_s

LIMITS = SimpleNamespace(session_grace_s=60.0, result_grace_s=1000.0, result_bytes=100)


def test_a_result_that_no_page_saw_is_kept_longer_but_never_shorter_than_the_rest():
    assert find_grace_s(LIMITS, is_unseen=False) == 60
    assert find_grace_s(LIMITS, is_unseen=True) == 1000
    short = SimpleNamespace(session_grace_s=60.0, result_grace_s=0.0)
    assert find_grace_s(short, is_unseen=True) == 60
