"""From the command line to a project that can be served, before the front runs.

`project` and `script` find what is served, `ports` where; `logs`, `coverage` and `allocator` set
up the process; `misspelt` and `askedactions` find an author's mistakes early.
"""
