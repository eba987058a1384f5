"""A backend of its own: values in a file, which outlive every process."""

import json
import os
import tempfile

import databench


class FileStore:
    """What Databench asks of a store: that it can be subscribed to."""

    def __init__(self, name):
        self.path = os.path.join(tempfile.gettempdir(), name + '.json')
        self.callbacks = []

    def subscribe(self, callback):
        self.callbacks.append(callback)
        return self

    def read(self):
        if not os.path.exists(self.path):
            return {}
        with open(self.path) as file:
            return json.load(file)

    def set_state(self, updater=None, **values):
        values = {**(updater or {}), **values}
        stored = {**self.read(), **values}
        with open(self.path, 'w') as file:
            json.dump(stored, file)
        return [callback({key: values[key]}) for key in values for callback in self.callbacks]

    def close(self):
        if os.path.exists(self.path):
            os.remove(self.path)


class Backend(databench.Analysis):

    def init_datastores(self):
        self.data = FileStore('backend-' + self.id_)
        self.data.subscribe(lambda change: self.emit('data', change))
        self.class_data = databench.Datastore(type(self).__name__)

    @databench.on
    def store(self, key, value):
        yield self.set_state({key: value})

    @databench.on
    def look(self):
        return self.data.read()
