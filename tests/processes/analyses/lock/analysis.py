"""Holds the interpreter lock in one call for seconds: nothing else of its kernel runs."""

import databench


class Lock(databench.Analysis):
    @databench.on
    def divide(self):
        dividend, divisor = 10**1_500_000, 7**900_000
        self.emit("begun", "divide")
        while True:
            dividend // divisor
