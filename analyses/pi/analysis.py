import random

import databench


class Pi(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(samples=10_000_000, pi=None, curve=[])

    @databench.on
    def run(self):
        inside, curve, n = 0, [], self.data['samples'] // 40
        for i in self.progress(range(1, 41)):
            inside += sum(random.random() ** 2 + random.random() ** 2 < 1 for _ in range(n))
            curve.append(4 * inside / (i * n))
            self.set_state(pi=curve[-1], curve=curve)
