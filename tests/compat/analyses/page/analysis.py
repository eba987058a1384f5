"""Pages beside index.html, with and without a template."""

import databench


class Page(databench.Analysis):
    def on_connected(self):
        self.emit("status", {"message": "hello"})
