"""Takes a minute to import."""

import time

import databench

time.sleep(60)


class Slow(databench.Analysis):
    pass
