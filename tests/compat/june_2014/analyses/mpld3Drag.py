"""A path whose points are dragged, by a plugin of one's own."""

import matplotlib as mpl
import mpld3

import databench


class LinkedDrag(mpld3.plugins.PluginBase):

    def __init__(self, points, line):
        suffix = 'pts' if isinstance(points, mpl.lines.Line2D) else None
        self.dict_ = {'type': 'drag',
                      'idpts': mpld3.utils.get_id(points, suffix),
                      'idline': mpld3.utils.get_id(line)}


ANALYSIS = databench.Analysis('mpld3Drag', __name__)
ANALYSIS.description = __doc__


@ANALYSIS.signals.on('connect')
def draw():
    figure, ax = mpl.pyplot.subplots()
    x, y = (1, 2, 3, 4), (2, 3, 1, 2)
    points = ax.plot(x, y, 'go', ms=10)
    line = ax.plot(x, y, '-k')
    mpld3.plugins.connect(figure, LinkedDrag(points[0], line[0]))
    ANALYSIS.signals.emit('mpld3canvas', mpld3.fig_to_dict(figure))
