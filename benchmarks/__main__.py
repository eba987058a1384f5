"""``python -m benchmarks`` is ``python -m benchmarks.bench``."""

import sys

from benchmarks.bench import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
