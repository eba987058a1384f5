"""A place to start from: one value that is shown, and one action that changes it."""

import datetime

import databench


class ScaffoldPy(databench.Analysis):
    @databench.on
    def connected(self):
        """Run when a page opens: the place to declare what the page shows."""
        now = datetime.datetime.now().isoformat(sep=' ', timespec='seconds')
        yield self.data.init(status=f'ready since {now}', name='')

    @databench.on
    def greet(self):
        """Run when the button is pressed."""
        name = self.data['name'] or 'whoever you are'
        self.data['status'] = f'Hello, {name}!'
