"""Actions that run and children that stay while the server ends."""

import asyncio
import subprocess
import time

import databench


class Busy(databench.Analysis):
    @databench.on
    def children(self):
        staying = subprocess.Popen(["sleep", "1000"])
        escaped = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        self.emit("children", [staying.pid, escaped.pid])

    @databench.on
    async def wait(self):
        self.emit("begun", "wait")
        await asyncio.sleep(1000)

    @databench.on
    def nap(self):
        self.emit("begun", "nap")
        time.sleep(1000)
