"""What the page of version 0.7 in this folder needs."""

import databench


class Footer(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(count=0, level=5)
        yield self.emit('args', self.request_args)

    @databench.on
    def add(self, by=1):
        self.data['count'] += by
        yield self.emit('added', {'by': by, 'count': self.data['count']})

    @databench.on
    def level(self, value):
        self.data['level'] = value
        yield self.emit('log', {'level': value})
