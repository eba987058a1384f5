"""The conformance analysis in Python; docs/kernels/conformance.md describes each action."""

import asyncio
import math
import time

import databench


class Conformance(databench.Analysis):
    """Does what `databench kernel-test` asks for."""

    @databench.on
    def echo(self, value):
        """Emit a value, and return it in a list."""
        self.emit("echo", value)
        return [value]

    @databench.on
    def nothing(self):
        """Emit a signal without a message."""
        self.emit("nothing")

    @databench.on
    def add(self, a, b):
        """Return the sum of two numbers."""
        return a + b

    @databench.on
    def fail(self, text):
        """Fail with this text."""
        raise ValueError(text)

    def on_log(self, text):
        """Send one log line of each level."""
        for level in ("log", "warn", "error"):
            self.emit(level, text)

    def on_progress(self, count):
        """Report as many steps."""
        for _ in self.progress(range(count)):
            time.sleep(0.01)

    @databench.on(idempotent=True)
    async def wait(self, time_s):
        """Wait, and read messages meanwhile."""
        self.emit("waiting")
        await asyncio.sleep(time_s)

    @databench.on
    def compute(self, time_s):
        """Compute, and read no message meanwhile."""
        self.emit("computing")
        end_s = time.monotonic() + time_s
        while time.monotonic() < end_s:
            pass

    @databench.on
    async def stream(self, count):
        """Emit the numbers from 0, and wait while the page is slow."""
        for number in range(count):
            await self.emit("number", number)

    @databench.on
    def not_a_number(self):
        """Return numbers that JSON does not have."""
        return [math.nan, math.inf, -math.inf]

    @databench.on
    def set(self, key, value):
        """Set a value of the session."""
        self.data[key] = value

    @databench.on
    def get(self, key):
        """Return a value of the session in a list."""
        return [self.data.get(key)]

    @databench.on
    def set_class(self, key, value):
        """Set a value of all sessions."""
        self.class_data[key] = value

    @databench.on
    def get_class(self, key):
        """Return a value of all sessions in a list."""
        return [self.class_data.get(key)]

    @databench.on
    async def add_class(self, key, number):
        """Add to a value of all sessions, so that no other addition is lost."""
        await self.class_data.change(key, lambda value: (value or 0) + number)

    @databench.on
    def describe(self):
        """Return what the session began with."""
        return {
            "cli_args": self.cli_args,
            "request_args": self.request_args,
            "restored": self.restored,
        }
