"""The relay's front: ``python -m benchmarks.relay PORT``."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile

import tornado.ioloop
import tornado.web
import tornado.websocket
import zmq
from tornado.escape import utf8
from zmq.eventloop.zmqstream import ZMQStream

from benchmarks.servers import ROOT

ECHOER = b"echoer"
EVERYBODY = b"*"
ASSETS = ROOT / "databench" / "static"  # what Databench's pages bring


class Page(tornado.web.RequestHandler):
    """Something to load, for the time from the start to the first page."""

    def get(self) -> None:
        self.write("<!DOCTYPE html><title>relay</title><p>relay</p>")


class Socket(tornado.websocket.WebSocketHandler):
    """One browser's websocket; its frames go to the echoer and come back unread."""

    pages: dict[bytes, Socket] = {}
    numbers = itertools.count()

    def initialize(self, stream: ZMQStream) -> None:
        self.stream = stream
        self.number = b"%d" % next(self.numbers)

    def open(self, *_path: str) -> None:
        self.set_nodelay(True)
        self.pages[self.number] = self

    def on_message(self, message: str | bytes) -> None:
        self.stream.send_multipart([ECHOER, self.number, utf8(message)])

    def on_close(self) -> None:
        self.pages.pop(self.number, None)

    @classmethod
    def from_echoer(cls, frames: list[bytes]) -> None:
        """Write what the echoer says to the page it names, or to every page."""
        _, number, message = frames
        if number == EVERYBODY:
            for page in list(cls.pages.values()):
                page.write_message(message)
        elif number in cls.pages:
            cls.pages[number].write_message(message)


def main(port: int) -> None:
    """Serve until the process is ended or its standard input closes."""
    with tempfile.TemporaryDirectory(prefix="relay") as folder:
        endpoint = f"ipc://{folder}/socket"
        router: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
        router.bind(endpoint)
        echoer = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.relay.echoer", endpoint], stdin=subprocess.PIPE
        )
        router.recv_multipart()  # its hello; a ROUTER drops what it is given for a stranger
        stream = ZMQStream(router)
        stream.on_recv(Socket.from_echoer)
        application = tornado.web.Application(
            [
                (r"/", Page),
                (r"/(.*)/ws", Socket, {"stream": stream}),
                (r"/assets/(.*)", tornado.web.StaticFileHandler, {"path": str(ASSETS)}),
            ]
        )
        application.listen(port, address="127.0.0.1")
        loop = tornado.ioloop.IOLoop.current()
        loop.add_handler(sys.stdin.fileno(), lambda *_: loop.stop(), loop.READ)
        try:
            loop.start()
        finally:
            echoer.kill()
            echoer.wait()
            stream.close(linger=0)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except KeyboardInterrupt:
        os._exit(0)
