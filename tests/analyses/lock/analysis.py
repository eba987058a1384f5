"""Holds the interpreter lock in one call for seconds: nothing else of its kernel runs."""

import databench


class Lock(databench.Analysis):
    @databench.on
    def divide(self):
        dividend, divisor = 10 ** 1_500_000, 7 ** 900_000
        self.emit('dividing')
        dividend // divisor

    @databench.on
    def echo(self, value):
        self.emit('echo', value)

    @databench.on
    def freeze(self):
        self.emit('log', 'freezing')
        sum(range(10 ** 12))  # neither gives the lock back nor looks for signals
