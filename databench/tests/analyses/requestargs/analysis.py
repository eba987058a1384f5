"""What the page's query says."""

import databench


class RequestArgs(databench.Analysis):

    @databench.on
    def connected(self):
        yield self.emit('request_args', self.request_args)
