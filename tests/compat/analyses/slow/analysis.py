import time

import databench


class Slow(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(pressed=0)

    @databench.on
    def press(self):
        self.data["pressed"] += 1
        time.sleep(0.2)
        yield self.emit("log", "slept")
