"""The front: the Tornado process that holds every page's websocket.

Owns pages, files, routes and websockets; never sees a ZeroMQ socket or a process.

`serve` starts it: `startup` finds what is served and where. `app` composes it: `rules` lists which
of the `handlers` and `websockets` answers which address. They find in the `context` what they share
(`security`, `content`, `reload`). `terminal` is the command that asks a running front.
"""
