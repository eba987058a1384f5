import databench


class Hooks(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init({"angle": 0.5, "name": "Ada", "seen": []})

    def data_name(self, value):
        """What pages see of it."""
        return value.upper()

    @databench.on
    def angle(self, value):
        self.data["angle"] = value
        yield self.set_state(seen=self.data["seen"] + [value])

    @databench.on
    def whisper(self):
        yield self.emit("whispered", self.data["name"])
