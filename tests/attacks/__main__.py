"""`make attack`: does to a real server what strangers and bad kernels do, and measures the rest.

Each attack gets a separate server. A row has the longest and the p99 answer to others, beside
those of a bare process that was asked in turn (what the machine itself withheld), and by how much
the server's memory grew. The same attacks, smaller, are tests: test_attacks.py.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.processes.server import Server

from .attacks import ATTACKS, Attack
from .meter import Meter
from .project import write_project
from .world import World, check


async def attack_once(attack: Attack, *, seconds: float, scale: float) -> dict[str, float]:
    """Carry out one attack on a separate server, and check what must hold under any attack.

    Returns:
        The figures of `Meter`.

    Raises:
        AssertionError: The server is not what it was.
    """
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        analyses = write_project(Path(folder))
        with Server(analyses, "--no-debug", *attack.options) as server:
            await check(server)
            meter = Meter(server.port, server.pid)
            async with meter:
                await attack.carry_out(World(server, seconds=seconds, scale=scale))
            await check(server)
        return meter.figures


def main() -> int:
    """Carry out those that were asked for; 1 when one of them has done harm."""
    parser = argparse.ArgumentParser(prog="tests.attacks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="ATTACK", help="which; all when none is named")
    parser.add_argument("--seconds", type=float, default=6.0)
    args = parser.parse_args()
    harmed = 0
    print(f"{'attack':28} longest   p99   bare longest   p99 (ms)   memory grown (MiB)")
    for attack in ATTACKS:
        if args.names and attack.name not in args.names:
            continue
        try:
            row = asyncio.run(attack_once(attack, seconds=args.seconds, scale=1.0))
        except (AssertionError, OSError, asyncio.TimeoutError, subprocess.TimeoutExpired) as error:
            harmed += 1
            print(f"{attack.name:28} HARM: {error!r:.2000}", flush=True)
            continue
        print(
            f"{attack.name:28} {row['longest_ms']:7} {row['p99_ms']:5} {row['bare longest_ms']:14} "
            f"{row['bare p99_ms']:5} {row['grown_mib']:20}",
            flush=True,
        )
    return 1 if harmed else 0


if __name__ == "__main__":
    sys.exit(main())
