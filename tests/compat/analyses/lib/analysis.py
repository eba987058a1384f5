from analyses.lib.steps import double
from analyses.words.analysis import Words  # not this one's class

import databench


class Lib(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(name=Words.__name__)

    @databench.on
    def double(self, value):
        yield self.emit("doubled", double(value))
