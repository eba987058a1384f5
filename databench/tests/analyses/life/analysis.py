"""The steps at the beginning and the end of a session."""

import tornado.gen

import databench


class Life(databench.Analysis):

    def __init__(self):
        # Nothing is there yet: it comes with the steps.
        self.steps = [['init', self.data, self.class_data, self.cli_args, self.request_args]]

    @tornado.gen.coroutine
    def on_connect(self):
        yield tornado.gen.sleep(0.01)
        self.steps.append(['connect'])

    @databench.on
    async def args(self, cli_args, request_args):
        await tornado.gen.sleep(0.01)
        self.steps.append(['args', cli_args, request_args])

    def on_connected(self):
        self.steps.append(['connected', self.id_])
        self.data['steps'] = self.steps

    @databench.on
    def disconnected(self):
        yield tornado.gen.sleep(0.01)
        print('disconnected', self.id_, flush=True)
