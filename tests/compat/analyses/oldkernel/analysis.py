import databench_py
import databench_py.singlethread


class Oldkernel(databench_py.Analysis):
    @databench_py.on
    def connected(self):
        yield self.data.init({"n": 1})

    @databench_py.on
    def grow(self):
        yield self.set_state(n=10 * self.data["n"])


if __name__ == "__main__":
    databench_py.singlethread.Meta("oldkernel", Oldkernel).event_loop()
