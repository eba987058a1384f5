"""Short actions of every kind, for a kernel that is killed again and again."""

import asyncio
import time

import databench


class Storm(databench.Analysis):
    @databench.on
    def echo(self, value):
        self.emit("echo", value)

    @databench.on
    def nap(self, value):
        time.sleep(0.005)
        self.emit("echo", value)

    @databench.on
    async def doze(self, value):
        await asyncio.sleep(0.005)
        await self.emit("echo", value)

    @databench.on
    async def stream(self, value):
        for _ in range(50):
            await self.emit("step", value)
        await self.emit("echo", value)

    @databench.on
    def keep(self, value):
        self.data["kept"] = value
        self.emit("echo", value)
