import databench


class Arguments(databench.Analysis):
    @databench.on
    def connected(self):
        yield self.data.init({"cli_args": self.cli_args, "request_args": self.request_args})
        yield self.emit("echo", [self.data["request_args"], None, 0, ""])
