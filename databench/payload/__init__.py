"""A user's value as JSON text and back; docs/reference/values.md says what becomes of each type.

`codec` writes and reads. What the fast encoder does not write itself gets another form in `forms`
(times in `times`); `writer` takes over if that is not enough, and names the place of a value
that can't be sent. `change` writes a value that others write too.
"""

from .changing import change
from .codec import LongIntegerError, clone, decode, encode

__all__ = ["LongIntegerError", "change", "clone", "decode", "encode"]
