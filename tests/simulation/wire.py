"""What lies between the processes: pipes that delay, channels of kernels, sockets of pages."""

from collections import deque

import msgpack

from databench.protocol import codec

from .loop import OWNER


class Pipe:
    """First in, first out, each message after a separate delay.

    Args:
        world: Its loop and its delays.
        deliver: Called with the messages that arrive at one moment.
        reader: Whose code that is.
    """

    def __init__(self, world, deliver, reader):
        self.held_until_s = 0.0
        self._world = world
        self._deliver = deliver
        self._reader = reader
        self._items = deque()

    def __len__(self):
        return len(self._items)

    def put(self, item):
        loop, items = self._world.loop, self._items
        at_s = max(loop.time() + self._world.delay_s(), self.held_until_s)
        if items and items[-1][0] >= at_s:
            items.append((items[-1][0], item))
            return
        items.append((at_s, item))
        loop.call_at(at_s, self.arrive, context=self._reader.context)

    def arrive(self):
        """Deliver what is there by now."""
        now_s, items, pool = self._world.loop.time() + 1e-6, self._items, []
        while items and items[0][0] <= now_s:
            pool.append(items.popleft()[1])
        if pool and not self._reader.is_over:
            self._deliver(pool)

    def cut(self, keep):
        """The other end is gone: of what is under way only the first few arrive."""
        while len(self._items) > keep:
            self._items.pop()

    def cut_at(self, now_s, until_s):
        """The other end is dead: what would arrive in between never does."""
        self._items = deque(item for item in self._items if not now_s < item[0] < until_s)


def split(frames):
    """The messages in one message: header, frames of each."""
    header = msgpack.unpackb(frames[0])
    if header[0] == "batch":
        return [(msgpack.unpackb(inner[0]), inner) for inner in codec.split_batch(frames[1])]
    return [(header, frames)]


class FrontChannel:
    """Stands for `broker.channel.Channel`: the front's end of all kernels' pipes."""

    def __init__(self, *, on_message, on_flush, **_limits):
        self.junk = 0
        self.peers = {}
        self._on_message = on_message
        self._on_flush = on_flush
        self._front = OWNER.get()
        self._front.channel = self

    def open(self):
        pass

    def bind(self, endpoint):
        pass

    def close(self):
        pass

    def send(self, routing_id, frames):
        peer = self.peers.get(routing_id)
        header = msgpack.unpackb(frames[0])
        if header[0] == "action":
            self._front.world.truth.note_sent(peer, header, frames[1])
        if peer is None or not self._is_there(peer):
            return False
        if not peer.is_over:
            peer.down.put(list(frames))
        return True

    def is_read(self, routing_id):
        peer = self.peers.get(routing_id)
        return peer is None or not self._is_there(peer)

    def forget(self, routing_id):
        pass

    def take(self, peer, messages):
        """A group of messages of one kernel has arrived."""
        world = self._front.world
        for frames in messages:
            if world.loop.time() < peer.void_s:
                world.truth.note(frames)
            self._on_message(peer.routing_id, frames)
        self._on_flush()
        world.audit.look(self._front)

    def _is_there(self, peer):
        return not peer.is_over or len(peer.up) > 0


class Socket:
    """A page's connection: `broker.Page` at the front, and the page's socket.

    What is written goes into the system's buffer as long as there is room (`room_bytes`); the rest
    waits in the front's process, undrained, until the page has read.
    """

    def __init__(self, tab, front):
        world = tab.world
        self.tab, self.front, self._world = tab, front, world
        self.visitor = ""
        self.address = "127.0.0.1"
        self.is_linked = False
        self.may_administer = True
        self.is_joined = self.is_left = self.is_stuck = False
        self.room_bytes = world.random.choice((0, 600, 1 << 20, 1 << 20))
        self._waiting = deque()
        self._system = deque()
        self._system_bytes = 0
        self._is_reading = False
        self._drained_s = 0.0
        self._stall_timer = None
        self.up = Pipe(world, self._receive, front)

    # -- the front's end

    def write(self, frames):
        if self.is_left:
            return False
        if not self._waiting:
            self._drained_s = self._world.loop.time()
        self._waiting.extend(frames)
        self._fill()
        if self._waiting and self._stall_timer is None:
            self._stall_timer = self._world.loop.call_later(
                self._world.settings.stall_limit_s, self._look_at_stall
            )
        return not self._waiting

    def close(self, code, reason):
        self._world.trace(f"{self.tab} is closed by the front: {code} {reason}")
        self.leave()
        self.tab.lose_later(self)

    def leave(self):
        """The front knows that the connection is gone."""
        if self.is_left:
            return
        self.is_left = True
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        if self.is_joined:
            self.front.broker.leave(self)

    def _receive(self, frames):
        for frame in frames:
            if not self.is_left:
                self.front.receive(self, frame)
        self._world.audit.look(self.front)

    def _fill(self):
        while self._waiting and self._system_bytes <= self.room_bytes:
            frame = self._waiting.popleft()
            self._system.append(frame)
            self._system_bytes += len(frame)
        if self._system and not self._is_reading and not self.is_stuck:
            self._read_later()

    def _refill(self):
        if self.is_left or not self._waiting:
            return
        self._drained_s = self._world.loop.time()
        self._fill()
        if not self._waiting:
            self.front.broker.delivered(self)

    def _look_at_stall(self):
        self._stall_timer = None
        if self.is_left or not self._waiting:
            return
        loop, limit_s = self._world.loop, self._world.settings.stall_limit_s
        if loop.time() - self._drained_s >= limit_s:
            self.close(4001, "the page does not take what is written")
        else:
            self._stall_timer = loop.call_at(self._drained_s + limit_s, self._look_at_stall)

    # -- the page's end

    def send(self, frame):
        self.up.put(frame)

    def drop(self):
        """The page is gone: the front reads what was under way, and notices later."""
        random, front = self._world.random, self.front
        self.up.cut(random.randint(0, len(self.up)))
        if not front.is_over:
            delay_s = random.choice((0.0, 0.3, 3.0))
            self._world.loop.call_later(delay_s, self.leave, context=front.context)

    def unstick(self):
        self.is_stuck = False
        if self._system and not self._is_reading:
            self._read()

    def _read_later(self):
        self._is_reading = True
        world = self._world
        world.loop.call_later(world.delay_s(), self._read, context=world.context)

    def _read(self):
        self._is_reading = False
        if self.is_stuck or self.tab.socket is not self:
            return
        random, count = self._world.random, len(self._system)
        if random.random() < 0.3:
            count = random.randint(1, count)
        for _ in range(count):
            frame = self._system.popleft()
            self._system_bytes -= len(frame)
            self.tab.take(frame)
        if self._system:
            self._read_later()
        if not self.front.is_over:
            self._world.loop.call_later(
                self._world.delay_s(), self._refill, context=self.front.context
            )
