"""The exceptions: who is caught by whom, and what they carry."""

import pytest

from databench import errors
from databench.errors import (
    DatabenchError,
    KernelError,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    SettingError,
)

ALL = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, Exception)
]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_exception_is_ours_and_is_drawn_in_the_docstring(kind):
    assert issubclass(kind, DatabenchError)
    assert kind.__name__ in errors.__doc__


def test_either_sides_fault_is_a_protocol_error_and_they_are_told_apart():
    assert issubclass(LocalProtocolError, ProtocolError)
    assert issubclass(RemoteProtocolError, ProtocolError)
    assert not issubclass(RemoteProtocolError, LocalProtocolError)
    assert not issubclass(LocalProtocolError, RemoteProtocolError)


def test_no_exception_is_also_a_builtin_one():
    # `except ValueError` around a user's code must not swallow ours.
    assert {base for kind in ALL for base in kind.__mro__} == {
        *ALL,
        Exception,
        BaseException,
        object,
    }


def test_kernel_error_names_the_kernel():
    error = KernelError("kernel 'pi' exited with status 3", kernel="pi")
    assert (str(error), error.kernel) == ("kernel 'pi' exited with status 3", "pi")
    assert KernelError("no kernel").kernel is None


@pytest.mark.parametrize(
    ("file", "line", "text"),
    [
        (None, None, "wrong"),
        ("index.yaml", None, "index.yaml: wrong"),
        ("index.yaml", 3, "index.yaml:3: wrong"),
        (None, 3, "wrong"),
    ],
)
def test_setting_error_begins_with_its_place(file, line, text):
    error = SettingError("wrong", name="ring_bytes", file=file, line=line)
    assert str(error) == text
    assert (error.name, error.file, error.line) == ("ring_bytes", file, line)
