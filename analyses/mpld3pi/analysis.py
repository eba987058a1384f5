"""A Matplotlib figure that is drawn anew while π converges."""

import math
import os
import random

import databench
from databench.install import pip_install

try:
    import mpld3
    from matplotlib.figure import Figure
    SCRIPTS = [os.path.basename(path) for path in (mpld3.urls.D3_LOCAL, mpld3.urls.MPLD3MIN_LOCAL)]
    NOTE = ''
except ImportError as error:
    SCRIPTS = []
    NOTE = f"{error}. Install it: {pip_install('databench[mpld3]')}"

BATCHES, DRAWS = 40, 50_000


def draw(ns, estimates, uncertainties):
    """The estimates after so many million draws, with a band of one standard deviation."""
    figure = Figure(figsize=(5, 3.2))
    axes = figure.add_subplot(xlabel='million draws', ylabel='π')
    low = [e - u for e, u in zip(estimates, uncertainties)]
    high = [e + u for e, u in zip(estimates, uncertainties)]
    axes.fill_between(ns, low, high, alpha=0.3)
    axes.plot(ns, estimates)
    axes.plot([0, BATCHES * DRAWS / 1e6], [math.pi, math.pi], 'k--')
    axes.set_ylim(3.13, 3.153)
    return mpld3.fig_to_dict(figure)


class Mpld3pi(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(note=NOTE, scripts=SCRIPTS, figure=None, pi={})

    @databench.on
    def run(self):
        if NOTE:
            raise RuntimeError(NOTE)
        inside, ns, estimates, uncertainties = 0, [], [], []
        for batch in self.progress(range(1, BATCHES + 1)):
            inside += sum(random.random() ** 2 + random.random() ** 2 < 1 for _ in range(DRAWS))
            n, share = batch * DRAWS, inside / (batch * DRAWS)
            ns.append(n / 1e6)
            estimates.append(4 * share)
            uncertainties.append(4 * math.sqrt(share * (1 - share) / n))
            self.set_state(
                figure=draw(ns, estimates, uncertainties),
                pi={'estimate': estimates[-1], 'uncertainty': uncertainties[-1]},
            )
            self.emit('log', {'draws': n, 'inside': inside})
        self.emit('log', {'action': 'done'})
