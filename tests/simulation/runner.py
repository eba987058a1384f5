"""Runs many seeds, in as many processes as there are cores for it, and lists those that fail."""

import concurrent.futures
import json
import subprocess
import sys
import traceback
from pathlib import Path

from .mutations import MUTATIONS, applied
from .world import World, simulated

CHUNK = 1000
REPOSITORY = Path(__file__).resolve().parents[2]


def run_seed(seed, tell=None):
    """Live one world; what went wrong, as text, or `None`."""
    try:
        World(seed, tell).run()
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({last.filename.rpartition('/')[2]}:{last.lineno})"
    return None


def run_chunk(first, count, mutation=None):
    """Seeds one after the other; the failures as `(seed, text)`. With a mutation only the first."""
    failures = []
    with simulated(), applied(MUTATIONS[mutation] if mutation else ()):
        for seed in range(first, first + count):
            if problem := run_seed(seed):
                failures.append((seed, problem))
                if mutation:
                    break
    return failures


def run_many(first, count, *, processes=2, tell=None):
    """The failures of many seeds.

    Args:
        first: The first seed.
        count: How many.
        processes: How many at once.
        tell: Called after each chunk with how many are done and how many of them failed.
    """
    failures, done = [], 0
    starts = range(first, first + count, CHUNK)
    sizes = [min(CHUNK, first + count - start) for start in starts]
    with concurrent.futures.ThreadPoolExecutor(processes) as pool:
        for size, found in zip(sizes, pool.map(_run_apart, starts, sizes)):
            done += size
            failures += found
            if tell is not None:
                tell(done, len(failures))
    return failures


def _run_apart(first, count):
    """A chunk in a separate process."""
    call = f"run_chunk({first}, {count})"
    code = f"import json; from tests.simulation.runner import *; print(json.dumps({call}))"
    command = [sys.executable, "-c", code]
    output = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout
    return [tuple(failure) for failure in json.loads(output)]
