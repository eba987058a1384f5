from __future__ import division

import databench
import databench_py
import databench_py.singlethread

import logging
logging.basicConfig(level='DEBUG')


class Counter_Py(databench_py.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init({"count": 0})

    @databench.on
    def add(self, n, times=1):
        """Count on."""
        for _ in range(times):
            yield self.set_state(lambda s: {"count": s["count"] + n})
        yield self.emit("log", {"action": "done"})

    @databench_py.on_action("half")
    def halve(self):
        self.data["count"] = self.data["count"] / 2

    def on_echo(self, *args):
        self.emit("echo", list(args))


if __name__ == "__main__":
    analysis = databench_py.singlethread.Meta("counter_py", Counter_Py)
    analysis.event_loop()
