"""Runs many seeds, in as many processes as there are cores for it, and says which of them fail."""

import concurrent.futures
import multiprocessing
import traceback

from .mutations import MUTATIONS, applied
from .world import World, simulated

CHUNK = 250


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
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, mp_context=context) as pool:
        chunks = [
            (start, min(CHUNK, first + count - start))
            for start in range(first, first + count, CHUNK)
        ]
        for (_, size), found in zip(chunks, pool.map(run_chunk, *zip(*chunks))):
            done += size
            failures += found
            if tell is not None:
                tell(done, len(failures))
    return failures
