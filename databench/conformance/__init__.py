"""`databench kernel-test`: plays the front against a kernel, and says which rules it keeps.

`front` is the shell (socket, process), `ledger` decides what of the kernel's messages is wrong,
`cases` ask for one rule each, `runner` runs them, and `report` writes the results.
"""
