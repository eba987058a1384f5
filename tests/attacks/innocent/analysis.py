"""An analysis that must work under any attack on the server beside it."""

import os
import subprocess
import time

import databench

# Its parent ends, it leads a session, and its environment does not show where it comes from.
DAEMON = ["env", "-i", "setsid", "-f", "/bin/sh", "-c", "echo $$; exec sleep 1000 >/dev/null 2>&1"]


class Innocent(databench.Analysis):
    @databench.on
    def connected(self):
        if "die" in self.request_args:
            os._exit(int(self.request_args["die"][0]))
        yield self.data.init(x=0)

    @databench.on
    def echo(self, value=None):
        self.emit("echo", value)

    @databench.on
    def run(self, n=1):
        return n

    @databench.on
    def fill(self, size=2**20, keys=1):
        for i in range(keys):
            self.set_state(**{f"k{i}": "x" * size})

    @databench.on
    async def stream(self, count, size=10):
        for _ in range(count):
            await self.emit("out", "x" * size)

    @databench.on
    async def flow(self):
        while True:
            await self.emit("out", "x" * 100)

    @databench.on
    def shout(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            os.write(2, b"x\n" * 4096)

    @databench.on
    def die(self):
        os._exit(3)

    @databench.on
    def daemon(self):
        return int(subprocess.check_output(DAEMON))
