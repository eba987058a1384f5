"""Letters of a sentence, drawn by d3 as it is typed."""

import databench

bagofcharsd3 = databench.Analysis('bagofcharsd3', __name__)
bagofcharsd3.description = __doc__


@bagofcharsd3.signals.on('sentence')
def count(message):
    letters = [c for c in message['sentence'].lower() if 'a' <= c <= 'z']
    counts = {c: letters.count(c) for c in letters}
    bagofcharsd3.signals.emit('log', counts)
    bagofcharsd3.signals.emit('counts', counts)
