"""Log lines, progress and notices."""

import databench


class Words(databench.Analysis):

    @databench.on
    def say(self):
        self.emit('log', {'action': 'done'})
        self.emit('warn', 'careful')
        yield self.emit('error', 'wrong')

    @databench.on
    def nothing(self):
        """Nothing is not the same as no message."""
        self.emit('null', None)
        self.emit('none')

    @databench.on
    def steps(self, n):
        return sum(self.progress(range(n)))

    @databench.on
    async def steps_async(self, n):
        async def items():
            for item in range(n):
                yield item

        return [item async for item in self.progress(items(), total=n)]

    @databench.on
    def notice(self, text):
        yield self.toast(text)
