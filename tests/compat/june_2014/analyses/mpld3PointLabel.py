"""Labels at the points of a figure, by a plugin of mpld3."""

import matplotlib.pyplot as plt
import mpld3
import numpy as np

import databench

mpld3PointLabel = databench.Analysis('mpld3PointLabel', __name__)
mpld3PointLabel.description = __doc__


@mpld3PointLabel.signals.on('connect')
def draw():
    figure, ax = plt.subplots()
    points = ax.scatter(np.random.rand(20), np.random.rand(20), s=300, alpha=0.3)
    labels = [f'Point {i}' for i in range(20)]
    mpld3.plugins.connect(figure, mpld3.plugins.PointLabelTooltip(points, labels))
    mpld3PointLabel.signals.emit('mpld3canvas', mpld3.fig_to_dict(figure))
    mpld3PointLabel.signals.emit('log', {'action': 'done'})
