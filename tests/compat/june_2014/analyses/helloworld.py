"""A greeting, on a page without the base template."""

import databench

signals = databench.Signals('helloworld')


@signals.on('connect')
def greet():
    signals.emit('status', {'message': 'Hello <b>World</b>'})


helloworld = databench.Analysis('helloworld', __name__, signals)
helloworld.description = __doc__
