"""Simulates: `python -m tests.simulation --seeds 1000000`, or one: `--seed 4711`."""

import argparse
import os
import sys

from .runner import run_many, run_seed
from .world import simulated


def main():
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="replay this one, with a line for each event")
    given = parser.parse_args()
    if given.seed is not None:
        return replay(given.seed)
    processes = os.cpu_count() or 1
    failures = run_many(given.first, given.seeds, processes=processes, tell=tell)
    for seed, problem in failures:
        print(f"seed {seed}: {problem}; replay it: make simulate SEED={seed}")
    print(f"{given.seeds} seeds, {len(failures)} failed")
    return bool(failures)


def replay(seed):
    with simulated():
        problem = run_seed(seed, print)
    print(f"seed {seed}: {problem or 'nothing is wrong'}")
    return bool(problem)


def tell(done, failed):
    if sys.stderr.isatty():
        print(f"\r{done} done, {failed} failed ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
