"""Run the program and write down whatever held its event loop for long.

    python tests/benchmarks/timed_loop.py FILE ARGUMENTS...

Each line of FILE is one callback of the loop that took `LONG` seconds or more: when it ended
(`time.monotonic`), how long it took, and how much of that was CPU of the loop's own thread. A frame is one
callback: it lays out, renders and writes. A key that is pressed meanwhile waits as long.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path

LONG = 0.004


@dataclass(frozen=True, slots=True)
class Held:
    """One callback: when it ended, and the seconds that it took, on the wall's clock and of CPU."""

    at: float
    wall: float
    cpu: float


def read(path: Path) -> list[Held]:
    """What was written down."""
    return [Held(*map(float, line.split())) for line in path.read_text().splitlines()]


def longest(path: Path, begin: float, end: float) -> float:
    """CPU milliseconds of the longest callback between two times: what it takes where nothing else runs."""
    return max((held.cpu * 1000 for held in read(path) if begin <= held.at <= end), default=0.0)


def _time_callbacks(path: Path) -> None:
    run = asyncio.Handle._run
    file = path.open("a", buffering=1)

    def timed(handle: asyncio.Handle) -> None:
        wall, cpu = time.monotonic(), time.thread_time()
        run(handle)
        now = time.monotonic()
        if now - wall >= LONG:
            file.write(f"{now} {now - wall} {time.thread_time() - cpu}\n")

    asyncio.Handle._run = timed


if __name__ == "__main__":
    from tui.cli import main as run_program

    _time_callbacks(Path(sys.argv[1]))
    sys.exit(run_program(sys.argv[2:]))
