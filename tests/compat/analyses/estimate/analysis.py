import random

import databench


class Estimate(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init({"samples": 40000})

    @databench.on
    def run(self):
        """Throw points, and say from time to time where it stands."""
        inside = 0
        for draws in range(1, self.data["samples"] + 1):
            inside += random.random() ** 2 + random.random() ** 2 < 1.0
            if draws % 10000 != 0:
                continue
            yield self.emit("log", {"draws": draws})
            yield self.set_state(pi={"estimate": 4 * inside / draws, "draws": draws})
        yield self.emit("log", {"action": "done"})

    @databench.on
    def samples(self, value):
        yield self.set_state(samples=value)
