"""An echo in another kernel than the one that computes."""

import databench


class Other(databench.Analysis):
    """Answers while its neighbour computes."""

    @databench.on
    async def echo(self, value):
        await self.emit("echo", value)
