"""The front: the Tornado process that holds every page's websocket.

Owns pages, files, routes and websockets; never sees a ZeroMQ socket or a process.
"""
