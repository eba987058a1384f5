"""Letters of a sentence, counted when a form is submitted."""

import databench

bagofchars = databench.Analysis('bagofchars', __name__)
bagofchars.description = __doc__


@bagofchars.signals.on('connect')
def listen():
    bagofchars.signals.emit('log', {'backend': 'listens'})


@bagofchars.signals.on('sentence')
def count(message):
    letters = [c for c in message['sentence'].lower() if 'a' <= c <= 'z']
    bagofchars.signals.emit('log', {c: letters.count(c) for c in letters})
