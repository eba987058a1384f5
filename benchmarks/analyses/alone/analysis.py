"""An echo whose every session has a kernel of its own."""

import os

import databench


class Alone(databench.Analysis):
    """Answers, and says where."""

    @databench.on
    async def echo(self, value):
        await self.emit("echo", value)

    @databench.on
    async def pid(self, _value):
        await self.emit("pid", os.getpid())
