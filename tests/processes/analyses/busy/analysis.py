"""Actions that run and children that stay while the server ends."""

import asyncio
import subprocess
import time

import databench

# Its parent ends, it leads a session, and its environment does not show where it comes from.
DAEMON = ["env", "-i", "setsid", "-f", "/bin/sh", "-c", "echo $$; exec sleep 1000 >/dev/null 2>&1"]


class Busy(databench.Analysis):
    @databench.on
    def children(self):
        staying = subprocess.Popen(["sleep", "1000"])
        escaped = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        daemon = int(subprocess.check_output(DAEMON))
        self.emit("children", [staying.pid, escaped.pid, daemon])

    @databench.on
    async def wait(self):
        self.emit("begun", "wait")
        await asyncio.sleep(1000)

    @databench.on
    def nap(self):
        self.emit("begun", "nap")
        time.sleep(1000)
