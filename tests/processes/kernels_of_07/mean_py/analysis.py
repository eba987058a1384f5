import databench_py.singlethread


class Base(databench_py.Analysis):
    def on_connected(self):
        self.emit("hello", self.request_args)


class Mean(Base):
    def on_mean(self, *values):
        self.emit("mean", sum(values) / len(values))
        self.class_data["last"] = sum(values) / len(values)


databench_py.singlethread.Meta("mean_py", Mean).event_loop()
