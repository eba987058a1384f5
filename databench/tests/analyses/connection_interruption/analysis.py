"""Keeps its state while nobody is connected."""

import databench


class ConnectionInterruption(databench.Analysis):

    @databench.on
    def connected(self):
        yield self.data.init(count=0, state='')

    def on_state(self, state):
        self.data['state'] = state
        self.data['count'] += 1
