import logging

import databench

log = logging.getLogger(__name__)


class Words(databench.Analysis):
    @databench.on
    def connected(self):
        log.info("a page has come")
        yield self.emit("ready", "go")

    @databench.on_action("count-letters")
    def count(self, sentence="", only=None):
        """Kept with its docstring."""
        counts = {}
        for letter in sentence:
            if only is None or letter in only:
                counts[letter] = counts.get(letter, 0) + 1
        yield self.emit("counts", counts)

    @databench.on_action("*")
    def other(self, *args, **kwargs):
        yield self.emit("other", [list(args), kwargs])

    @databench.on
    def fail(self):
        raise ValueError("this one fails")
