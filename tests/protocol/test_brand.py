"""By which limits processes are known."""

import secrets

from databench.protocol.brand import HIGHEST, LOWEST, find_soft, is_own


def test_a_kernel_knows_its_own_brand_and_no_other():
    hard, name = HIGHEST - 17, b"k1.3.Qe9ZpX4wT1aBcDeFgHiJkL"
    soft = find_soft(hard, name)
    assert 0 < soft < hard
    assert is_own(soft, hard, name)
    assert not is_own(soft, hard, b"k1.3.Qe9ZpX4wT1aBcDeFgHiJkM")
    assert not is_own(soft + 1, hard, name)
    assert not is_own(hard, hard, name)


def test_limits_that_somebody_means_or_that_are_none_are_no_brand():
    name = b"k1.1.random"
    assert not is_own(-1, -1, name)
    assert not is_own(200_000, 200_000, name)
    assert not is_own(find_soft(LOWEST, name), LOWEST, name)
    assert not is_own(find_soft(HIGHEST, name), HIGHEST, name)


def test_kernels_of_a_front_have_brands_of_their_own():
    names = [f"k1.{n}.{secrets.token_urlsafe(16)}".encode() for n in range(1000)]
    softs = {find_soft(HIGHEST - 1, name) for name in names}
    assert len(softs) == 1000
    assert all(LOWEST < soft < HIGHEST for soft in softs)
