"""A figure with its own mpld3 plugin: drag a point, and the line is fitted again."""

import os

import databench
from databench.install import pip_install

try:
    import mpld3
    import numpy as np
    from matplotlib.figure import Figure
    SCRIPTS = [os.path.basename(path) for path in (mpld3.urls.D3_LOCAL, mpld3.urls.MPLD3MIN_LOCAL)]
    NOTE = ''
except ImportError as error:
    SCRIPTS = []
    NOTE = f"{error}. Install it: {pip_install('databench[mpld3]')}"


def draw(points):
    """The points, and the line through them with the least squares."""
    xs, ys = np.transpose(points)
    slope, offset = np.polyfit(xs, ys, 1)
    figure = Figure(figsize=(5, 3.2))
    axes = figure.add_subplot(xlim=(0, 10), ylim=(0, 10))
    ends = np.array([0, 10])
    axes.plot(ends, slope * ends + offset)
    dots, = axes.plot(xs, ys, 'o', markersize=14)
    mpld3.plugins.clear(figure)
    mpld3.plugins.connect(figure, Drag(dots))
    return {'figure': mpld3.fig_to_dict(figure), 'fit': f'y = {slope:.3f} x + {offset:.3f}'}


class Mpld3Drag(databench.Analysis):
    @databench.on
    def connected(self):
        points = [[1, 2], [3, 3], [5, 6], [7, 6], [9, 9]]
        shown = {} if NOTE else draw(points)
        yield self.data.init({'note': NOTE, 'scripts': SCRIPTS, 'points': points, **shown})

    @databench.on
    def move(self, index, x, y):
        points = [list(point) for point in self.data['points']]
        points[index] = [x, y]
        self.set_state(points=points, **draw(points))


if not NOTE:
    class Drag(mpld3.plugins.PluginBase):
        """The Python half: it names the points; static/drag.js does the rest."""

        def __init__(self, dots):
            self.dict_ = {'type': 'drag', 'id': mpld3.utils.get_id(dots, 'pts')}
