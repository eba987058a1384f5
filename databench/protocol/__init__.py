"""Messages, and what may happen when: pure code, no socket, clock, loop or randomness.

`messages` and `codec` are the wire to kernels, `text` the wire to pages; `session`, `ring`, `flow`
and `lifecycle` decide. docs/protocol.md is the same in words.
"""
