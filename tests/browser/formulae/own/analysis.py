import databench


class Own(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init(text="")
