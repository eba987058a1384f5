import tornado.gen
import tornado.ioloop

import databench


class Ticker(databench.Analysis):
    def __init__(self):
        self.ticks = 0
        self.timer = tornado.ioloop.PeriodicCallback(self.tick, 20)

    def on_connected(self):
        self.data["ticks"] = 0
        self.data["state"] = "new"
        self.timer.start()

    def on_disconnected(self):
        self.timer.stop()

    def tick(self):
        self.ticks += 1
        self.data["ticks"] = self.ticks
        if self.ticks == 5:
            self.timer.stop()

    @tornado.gen.coroutine
    def on_work(self, steps):
        self.data["state"] = "working"
        for step in range(steps):
            yield tornado.gen.sleep(0.01)
            self.emit("step", step)
        yield [self.later("first"), self.later("second")]
        yield tornado.gen.moment
        self.data["state"] = "worked"

    @tornado.gen.coroutine
    def later(self, word):
        yield tornado.gen.sleep(0.01)
        self.emit("later", word)
        raise tornado.gen.Return(word)
