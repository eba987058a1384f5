"""Tabs, labels and a program's text, as the example with angular.js had them."""

import databench

tabs = databench.Analysis('tabs', __name__)
tabs.description = __doc__


@tabs.signals.on('connect')
def begin():
    tabs.signals.emit('status', {'pi-estimate': 3.125, 'pi-uncertainty': 0.25})
