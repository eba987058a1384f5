import databench


class Plain(databench.Analysis):
    @databench.on
    def run(self):
        yield self.emit("log", "done")
