"""Histograms of two random numbers, drawn anew while \\(\\pi\\) converges."""

import math
from random import random
from time import sleep

import matplotlib.pyplot as plt
import mpld3

import databench

mpld3pi = databench.Analysis('mpld3pi', __name__)
mpld3pi.description = __doc__


@mpld3pi.signals.on('connect')
def run():
    inside = 0
    first, second = [], []
    figure = plt.figure(figsize=(8, 4))
    axes = [figure.add_subplot(121), figure.add_subplot(122)]
    for draws in range(1, 301):
        sleep(0.001)
        r1, r2 = random(), random()
        first.append(r1)
        second.append(r2)
        inside += r1 * r1 + r2 * r2 < 1.0
        if draws % 100 == 0:
            part = inside / draws
            mpld3pi.signals.emit('log', {'draws': draws, 'inside': inside})
            mpld3pi.signals.emit('status', {
                'pi-estimate': 4.0 * part,
                'pi-uncertainty': 4.0 * math.sqrt(part * (1.0 - part) / draws),
            })
            for ax, values, color in zip(axes, (first, second), ('green', 'blue')):
                ax.cla()
                ax.set_xlim(0, 1)
                ax.set_ylim(0, 1.5)
                ax.grid(True)
                ax.hist(values, 50, density=True, facecolor=color, alpha=0.75)
            mpld3pi.signals.emit('mpld3canvas', mpld3.fig_to_dict(figure))
    plt.close(figure)
    mpld3pi.signals.emit('log', {'action': 'done'})
