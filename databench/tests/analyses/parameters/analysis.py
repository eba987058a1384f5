"""Arguments of every shape, and values that are set."""

import tornado.gen

import databench


class Parameters(databench.Analysis):
    """Answers with what it got, and stores what it is told."""

    def on_test_fn(self, first_param, second_param=100):
        self.emit('test_fn', (first_param, second_param))

    def on_test_action(self):
        self.emit('test_action_ack')

    def on_test_data(self, key, value):
        self.data[key] = value

    @tornado.gen.coroutine
    def on_test_set_data(self, key, value):
        yield self.data.set(key, value)

    @databench.on
    def test_state(self, key, value):
        yield self.set_state({key: value})

    def on_test_class_data(self, key, value):
        self.class_data[key] = value

    @databench.on
    def echo(self, *args, **kwargs):
        """Say what came as positional and as keyword arguments."""
        self.emit('echo', {'args': args, 'kwargs': kwargs})
