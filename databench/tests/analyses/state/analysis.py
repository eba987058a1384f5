"""Values of a session and of all sessions, and what pages see of them."""

import os

import databench


class State(databench.Analysis):

    @databench.on
    def connected(self):
        yield self.data.init({'number': 0, 'list': [1]}, word='')

    @databench.on
    def number(self, value):
        """A plain setter, as inputs have them."""
        self.data['number'] = value

    @databench.on
    def read(self):
        """A generator that begins with what the setter has left."""
        yield self.emit('read', self.data['number'])

    @databench.on
    def change_in_place(self):
        """What is stored is a copy: none of this is a change."""
        values = [1]
        self.data['list'] = values
        values.append(2)
        self.data['list'].append(3)
        self.data['list'] = [1]
        return self.data['list']

    @databench.on
    def by_function(self):
        yield self.set_state({'word': 'a'}, number=1)
        yield self.set_state(lambda state: {'number': state['number'] + 1})
        yield self.set_class_state(shared=self.class_data.get('shared', 0))
        yield self.set_class_state(lambda state: {'shared': state['shared'] + 1})
        return [self.data['word'], self.data['number'], self.class_data['shared']]

    @databench.on
    def share(self, value):
        self.class_data['shared'] = value

    @databench.on
    def shared(self):
        return self.class_data.get('shared')

    @databench.on
    def hooked(self, value):
        self.data['hooked'] = value

    def data_hooked(self, value):
        """What pages see of it."""
        return value + 1

    @databench.on
    def forget(self, key):
        del self.data[key]

    @databench.on
    def look(self):
        """What is stored, and why the session began again."""
        return {'data': dict(self.data.items()), 'restored': self.restored}

    @databench.on
    def listen(self):
        """The results of subscribers come back, and can be waited for."""
        self.data.on_change(self.later).subscribe(lambda change: change)
        results = yield self.data.set('word', 'heard')
        return [result for result in results if result is not None]

    async def later(self, key, value):
        return [key, value]

    @databench.on
    def crash(self):
        os.abort()
