"""Which process is at the other end of the socket's connections, and which one was disconnected.

libzmq ends the connection of a peer that sends too large a frame, and says nothing of it: the peer
connects again, and its message is lost. Its monitor (zmq_socket_monitor(3)) reports a connection by
its descriptor, and the system knows the process at the other end of it (SO_PEERCRED, unix(7)).
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable

import zmq

from .. import multipart

_EVENT = struct.Struct("=HI")  # as zmq_socket_monitor(3) lays its first frame out
_ACCEPTED, _DISCONNECTED = int(zmq.EVENT_ACCEPTED), int(zmq.EVENT_DISCONNECTED)
_CREDENTIALS = struct.Struct("3i")  # of SO_PEERCRED: process, user, group


class PeerMonitor:
    """Reports disconnected processes.

    Args:
        on_disconnected: Called with the process group of a peer whose connection has ended, be it
            that its process has.
    """

    def __init__(self, on_disconnected: Callable[[int], None]) -> None:
        self._on_disconnected = on_disconnected
        self._groups: dict[int, int] = {}  # of the processes that are connected, by descriptor
        self._socket: zmq.Socket[bytes] | None = None

    def open(self, watched: zmq.Socket[bytes]) -> None:
        """Watch this socket, on the running loop, where the system knows its peers."""
        if not hasattr(socket, "SO_PEERCRED"):
            return
        self._socket = watched.get_monitor_socket(zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)
        self._read()  # its descriptor is edge-triggered, from the first time that nothing was there

    def close(self, watched: zmq.Socket[bytes]) -> None:
        """Watch it no more; before it is closed."""
        own, self._socket = self._socket, None
        if own is not None:
            asyncio.get_running_loop().remove_reader(own.fileno())
            watched.disable_monitor()
            own.close(0)  # or the context would not end

    def _read(self) -> None:
        if self._socket is None:
            return
        events: list[tuple[int, int]] = []
        while True:
            try:
                events.append(_EVENT.unpack(multipart.receive(self._socket)[0]))
            except zmq.Again:
                break
        self.handle(events)

    def handle(self, events: list[tuple[int, int]]) -> None:
        """Take what has happened, in order.

        Args:
            events: Each an event of libzmq's and a descriptor, up to now.
        """
        last = {descriptor: place for place, (_, descriptor) in enumerate(events)}
        for place, (event, descriptor) in enumerate(events):
            if event == _DISCONNECTED:
                group = self._groups.pop(descriptor, None)
                if group is not None:
                    self._on_disconnected(group)
            # The descriptor may be another connection's by now, if more happened to it.
            elif event == _ACCEPTED and last[descriptor] == place:
                group = find_group(descriptor)
                if group is not None:
                    self._groups[descriptor] = group


def find_group(descriptor: int) -> int | None:
    """The process group at the other end of a Unix socket; `None`: there is none any more."""
    try:
        asked = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=descriptor)
    except OSError:
        return None
    try:
        content = asked.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return os.getpgid(_CREDENTIALS.unpack(content)[0])
    except OSError:  # it has ended
        return None
    finally:
        asked.detach()
