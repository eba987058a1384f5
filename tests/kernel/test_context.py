"""What the sessions of a kernel share: all that a session needs, and nothing that needs it."""

import contextvars
import json
import logging
import threading

import pytest
import zmq

from databench.analysis import Analysis, find_handlers, on
from databench.kernel.calls import find_declared, has_own_making
from databench.kernel.channel import KernelChannel
from databench.kernel.class_data import ClassDataCopy
from databench.kernel.context import Context
from databench.kernel.interrupts import Interrupts
from databench.kernel.loop import KernelLoop
from databench.kernel.request import OpenRequests, current
from databench.kernel.session import KernelSession
from databench.kernel.steps import LoopWorker
from databench.kernel.workers import MainWorker
from databench.protocol import codec
from databench.protocol import messages as m
from databench.settings import Settings


class Silent(KernelChannel):
    """The shipped channel, whose socket is a list."""

    def _connect(self, endpoint, routing_id):
        self.frames, self.sent = [], []
        self._get = lambda _option: 0

    def _send(self, frame, flags):
        self.frames.append(frame)
        if flags & zmq.SNDMORE:
            return
        message, self.frames = codec.decode_from_kernel(self.frames), []
        if isinstance(message, m.Batch):
            inner = codec.split_batch(message.payload)
            self.sent += [codec.decode_from_kernel(frames) for frames in inner]
        else:
            self.sent.append(message)


class AtOnce:
    """Workers that run a job in the caller's thread."""

    def submit(self, job):
        result = contextvars.copy_context().run(self._call, job)
        job.finish(job.request, result, None)

    def _call(self, job):
        current.set(job.request)
        return job.function()

    def withdraw(self, _request):
        return False


class Echo(Analysis):
    @on
    def echo(self, word):
        self.emit("echo", word)

    @on
    async def echo_later(self, word):
        self.emit("echo", word)


@pytest.fixture
def context():
    loop, requests = KernelLoop(), OpenRequests()
    settings, handlers = Settings(), find_handlers(Echo)
    channel = Silent("", "k1.1", batch_messages=100, batch_wait_s=0.002)
    main = MainWorker(channel.lock)
    worker = LoopWorker(channel.lock, loop)
    worker.ident = threading.get_ident()
    yield Context(
        analysis_class=Echo,
        handlers=handlers,
        declared=find_declared(handlers),
        has_own_making=has_own_making(Echo),
        settings=settings,
        logger=logging.getLogger("databench.kernel.echo"),
        channel=channel,
        loop=loop,
        loop_worker=worker,
        workers=AtOnce(),
        requests=requests,
        interrupts=Interrupts(channel.lock, main, requests, None, None),
        class_data=ClassDataCopy(Echo, channel, loop),
        window_bytes=2**20,
    )
    loop.close()


def turn(context):
    context.loop.call_soon(context.loop.stop)
    context.loop.run_forever()
    context.channel.flush()


def test_a_session_needs_no_runtime(context):
    gone = []
    session = KernelSession(context, m.Open(session="s1"), gone.append)
    for number, name in enumerate(("echo", "echo_later"), 1):
        turn(context)
        action = m.Action(session="s1", request=number, name=name, payload=b'"hello"')
        context.loop.call_soon(session.run_action, action)
    turn(context)
    session.close()
    turn(context)
    emits = [x for x in context.channel.sent if isinstance(x, m.Emit)]
    assert [(x.request, json.loads(x.payload)) for x in emits] == [(1, "hello"), (2, "hello")]
    assert gone == [session]
    assert context.requests == {}
