import databench


class Shared(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.class_data.init({"count": 0})
        yield self.data.init(own=0)

    @databench.on
    def add(self):
        yield self.set_class_state(lambda state: {"count": state["count"] + 1})
        yield self.set_state(lambda state: {"own": state["own"] + 1})
