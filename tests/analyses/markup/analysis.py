"""Sends text that looks like HTML, by every way that leads into a page."""

import databench

TEXT = '<img src=x onerror="window.isInjected=true"><b>bold</b>'


class Markup(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(text=TEXT, zero=0, nothing=None, list=[TEXT], word='')

    @databench.on
    def tell(self):
        self.emit('told', TEXT)
        self.emit('log', TEXT)
        self.emit('warn', {'message': TEXT})

    @databench.on
    def fail(self):
        raise ValueError(TEXT)
