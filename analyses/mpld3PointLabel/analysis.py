"""A figure with one of mpld3's own plugins: a label for each point."""

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


def draw():
    figure = Figure(figsize=(5, 3.2))
    axes = figure.add_subplot(xlabel='x', ylabel='y')
    xs = [random.random() for _ in range(20)]
    ys = [random.random() for _ in range(20)]
    points, = axes.plot(xs, ys, 'o', markersize=12, alpha=0.6)
    labels = [f'point {i}: {x:.2f}, {y:.2f}' for i, (x, y) in enumerate(zip(xs, ys))]
    mpld3.plugins.connect(figure, mpld3.plugins.PointLabelTooltip(points, labels))
    return mpld3.fig_to_dict(figure)


class Mpld3PointLabel(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(note=NOTE, scripts=SCRIPTS, figure=None if NOTE else draw())
