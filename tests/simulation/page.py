"""A simulated tab: the rules of `databench/client`, and what it may never see."""

import itertools
import json
from collections import defaultdict

import orjson

from .wire import Socket

UNCOUNTED = ("__connect", "__kernel", "__gap")


class Tab:
    """One tab of a browser, over its reloads and reconnects.

    Attributes:
        session: The id of its session, or `None`.
        open: The requests that it knows as open, by id: `[phase, text]`.
        is_old: Whether it is the client of 0.7, which does not count.
    """

    def __init__(self, world, analysis, *, session=None, is_old=False):
        self.world, self.analysis, self.is_old = world, analysis, is_old
        self.name = f"tab{len(world.tabs) + 1}"
        self.session = session
        self.is_gone = False
        self.socket = None
        self.kernel_state = ""
        self._attempt = 0
        self._own = itertools.count(1)
        self._empty()
        self.connect()

    def __str__(self):
        return self.name

    def _empty(self):
        """As after F5; what is kept over it is the session's id."""
        self.epoch, self.received = None, 0
        self.is_joined = False
        self.open, self.ended = {}, set()
        self.outbox = []
        self.data, self.class_data = {}, {}
        self.offset = -1  # in the list of what the kernel emitted
        self.may_jump = self.is_old
        self.gaps = 0
        self._forget_requests()

    def _forget_requests(self):
        self.emits, self.begun, self.ends = {}, {}, set()
        self.again = {}  # requests that began a second time, each with the lives before that
        self.lives = defaultdict(set)  # of the kernels whose emits of a request were seen

    # -- the connection

    def connect(self):
        front = self.world.front
        if self.is_gone or self.socket is not None:
            return
        if front is None or front.is_over:
            self._retry()
            return
        self.socket = Socket(self, front)
        self.is_joined = False
        said = {"__connect": self.session, "__request_args": ""}
        if not self.is_old:
            said["__received"] = self.received
            if self.epoch is not None:
                said["__epoch"] = self.epoch
        self.socket.send(json.dumps(said))
        if self.world.random.random() < self.world.cuts:
            self.lose_later(self.socket, times=4)

    def lose_later(self, socket, *, times=1):
        """The connection ends somewhere: the page notices later."""
        delay_s = sum(self.world.delay_s() for _ in range(times))
        self.world.loop.call_later(delay_s, self.lose, socket, context=self.world.context)

    def lose(self, socket):
        """The connection has ended, for the page."""
        if socket is None or self.socket is not socket:
            return
        self.world.trace(f"{self} lost its connection at {self.received}")
        self._drop()
        if self.is_old:
            self._empty()
        self._retry()

    def reload(self):
        self._drop()
        self._empty()
        self.connect()

    def leave(self):
        self._drop()
        self.is_gone = True

    def _drop(self):
        if self.socket is not None:
            self.socket.drop()
        self.socket, self.is_joined = None, False

    def _retry(self):
        delay_s = min(2.0, 0.2 * 2**self._attempt) * self.world.random.uniform(0.5, 1)
        self._attempt += 1
        self.world.loop.call_later(delay_s, self.connect, context=self.world.context)

    # -- what a visitor does

    def request(self, action, steps, *, times=1, has_id=True):
        id_ = f"{self.name}.{next(self._own)}"
        load = {"id_": id_, "steps": steps}
        number = self.world.number_of(id_)
        if has_id:
            load["__process_id"] = number
        text = json.dumps({"signal": action, "load": load})
        if has_id:
            self.open[number] = ["waiting", text]
        if self.is_joined:
            for _ in range(times):
                self.socket.send(text)
            if has_id:
                self.open[number][0] = "sent"
        elif has_id and not self.is_old:
            self.outbox.append((text, number))
        else:
            self.open.pop(number, None)  # the client of 0.7 loses it

    def cancel(self, number, force):
        if self.is_joined:
            self.socket.send(json.dumps({"__cancel": number, "force": force}))

    def control(self, word):
        if self.is_joined:
            self.socket.send(json.dumps({"__kernel": word}))

    # -- what it gets

    def take(self, frame):
        self.world.seen += 1
        said = orjson.loads(frame)
        signal, load = said["signal"], said.get("load")
        if not said.get("snapshot") and signal not in UNCOUNTED:
            self.received += 1
        handler = getattr(self, f"_on{signal}", None)
        if handler is not None:
            handler(load)
        elif signal in ("data", "class_data"):
            getattr(self, signal).update(load)
        elif signal == "out":
            self._on_out(load)

    def _on__connect(self, load):
        had_stream = self.epoch is not None
        is_new = self.session is not None and had_stream and self.session != load["analysis_id"]
        is_lost = had_stream and (is_new or self.epoch != load["epoch"])
        if self.session != load["analysis_id"]:
            self.offset, self.may_jump = -1, self.is_old
        elif is_lost:
            self.may_jump = True
            self.gaps += 1
        self.session, self.epoch, self.received = load["analysis_id"], load["epoch"], load["at"]
        self.world.trace(f"{self} joins {self.session} at {self.received}")
        if is_lost:
            self._forget_requests()
            self.data, self.class_data = {}, {}
        self._settle(load["running"], is_lost)
        self.is_joined, self._attempt = True, 0
        self._send_waiting()

    def _settle(self, running, is_lost):
        ids = {action["id"] for action in running}
        if not self.is_old:
            for id_ in ids:
                self.open.setdefault(id_, ["", ""])[0] = "started"
        if is_lost:
            for id_, (phase, _) in list(self.open.items()):
                if phase == "started" and id_ not in ids:
                    self._end(id_)

    def _send_waiting(self):
        for process in self.open.values():
            if process[0] == "sent":
                self.socket.send(process[1])
        waiting, self.outbox = self.outbox, []
        for text, number in waiting:
            self.socket.send(text)
            self.open[number][0] = "sent"

    def _on__gap(self, load):
        assert not self.is_old, "a page that does not count was told of a gap"
        assert load["missed"] > 0
        self.received = load["at"]
        self.may_jump = True
        self.gaps += 1

    def _on__kernel(self, load):
        assert not self.is_old
        self.kernel_state = load["state"]

    def _on__process(self, load):
        id_ = load["id"]
        if load["status"] == "start":
            self._start_again(id_) if load.get("again") else self._start(id_)
            return
        is_again = id_ in self.ends and not self.gaps
        assert not is_again, f"{self}: a second end of {id_}: {load}"
        self.ends.add(id_)
        self._check_emits(load)
        self._end(id_)

    def _start(self, id_):
        assert id_ not in self.begun, f"{self}: a second start of {id_}"
        self.begun[id_] = self.gaps
        if id_ not in self.ended:
            self.open.setdefault(id_, ["", ""])[0] = "started"
        if self.is_old:
            assert self.world.names[id_].startswith(f"{self}."), "another page's request"

    def _start_again(self, id_):
        """The second run of a request whose kernel was lost: what it emitted before stays."""
        name = self.world.names[id_]
        # A page of 0.7 that lags or comes back misses frames, and is not told of it.
        is_known = id_ in self.begun or self.gaps or self.is_old
        assert is_known, f"{self}: {name} begins again, and never began"
        assert id_ not in self.again, f"{self}: {name} begins a third time"
        assert id_ not in self.ends, f"{self}: {name} begins again after its end"
        self.again[id_] = set(self.lives[name])
        self.begun[id_], self.emits[name] = self.gaps, 0
        self.open.setdefault(id_, ["", ""])[0] = "started"  # its first start may be in a gap

    def _end(self, id_):
        self.ended.add(id_)
        self.open.pop(id_, None)

    def _check_emits(self, load):
        """What a request emitted came before its end."""
        id_ = load["id"]
        if self.is_old or self.begun.get(id_) != self.gaps or load["outcome"] != "done":
            return
        if (emits := load.get("result")) is not None:
            seen = self.emits.get(self.world.names[id_], 0)
            assert seen == emits, f"{self}: {seen} emits of {emits} before the end of {id_}"

    def _on_out(self, load):
        name = load["id"]
        assert self.world.numbers[name] not in self.ends, f"{self}: {name} emits after its end"
        self.emits[name] = self.emits.get(name, 0) + 1
        self.lives[name].add(load["life"])
        lives = self.again.get(self.world.numbers[name], ())
        assert load["life"] not in lives, f"{self}: {name} emits from a life that is over"
        offset = self.world.truth.offset(self.session, load)
        assert offset > self.offset, f"{self}: {load} again, or out of order"
        is_next = offset == self.offset + 1
        assert is_next or self.may_jump, f"{self}: {offset - self.offset - 1} emits before {load}"
        self.offset, self.may_jump = offset, self.is_old

    def _on__progress(self, load):
        if self.is_old:
            assert self.world.names[load["id"]].startswith(f"{self}."), "another page's request"
