"""What `data` holds, counted."""

from databench.protocol.values import Values


def test_a_value_takes_the_room_of_the_one_before_it():
    values = Values(10)
    value = b"12345678"
    values.hold("k", value, value, 3)  # no hook changed it: one object, counted once
    assert values["k"].offset == 3
    assert values.find_problem("l", b"12", b"3") == (
        "state 'l': 11 bytes of state, limit 10; not kept"
    )
    values.hold("k", b"1", b"22")
    assert values.size_bytes == 3
    assert values.key_bytes == len("k") + 5
    assert values.find_problem("l", b"123", b"4567") is None
