"""`make soak MINUTES=10`: see docs/design/soak.md."""

import argparse
import asyncio
import random
import sys

from .run import Soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    args = parser.parse_args()
    print(f"seed {args.seed}, {args.pages} pages, {args.minutes:g} minutes", flush=True)
    try:
        figures = asyncio.run(Soak(args.seed, args.pages, args.minutes).run())
    except AssertionError as error:
        print(f"failed; again with SEED={args.seed}: {error}")
        return 1
    for name, value in figures.items():
        print(f"  {name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
