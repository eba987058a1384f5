"""Shares with its routes what they were sent."""

import databench


class Simple2(databench.Analysis):

    @databench.on
    def posted(self):
        """What the route `post` has set, as the kernel knows it."""
        return self.class_data.get('posted')

    @databench.on
    def share(self, value):
        """Sets what the route `get` answers."""
        self.class_data['posted'] = value

    @databench.on
    def count(self, times):
        """Counts up a value that the route `post` counts up too."""
        for _ in range(times):
            yield self.class_data.change('count', lambda count: (count or 0) + 1)
