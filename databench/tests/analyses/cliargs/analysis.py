"""What followed Databench's own options."""

import databench


class CliArgs(databench.Analysis):

    @databench.on
    def connected(self):
        yield self.data.init({'cli_args': self.cli_args})
