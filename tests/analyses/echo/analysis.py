"""Answers with what it got."""

import databench


class Echo(databench.Analysis):
    @databench.on
    def echo(self, value):
        self.emit('echo', value)
