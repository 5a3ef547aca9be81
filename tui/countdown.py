"""A wait that is counted down by lines, where there is no screen to draw it on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import ceil
from time import monotonic

__all__ = ["Countdown"]


class Countdown:
    """Tells how many seconds of a wait are left, until it is stopped.

    Args:
        tell: Takes the whole seconds that are left.
        step: Seconds between two of these; they are its multiples.
    """

    def __init__(self, tell: Callable[[int], None], step: int = 1) -> None:
        self._tell = tell
        self._step = step
        self._task: asyncio.Task[None] | None = None

    def start(self, seconds: float) -> None:
        """Count from now on."""
        self.stop()
        self._task = asyncio.create_task(self._count(monotonic() + seconds))

    def stop(self) -> bool:
        """Say no more; returns whether it was counting."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        return task is not None

    async def _count(self, until: float) -> None:
        left = ceil(until - monotonic()) - 1
        for mark in range(left - left % self._step, 0, -self._step):
            await asyncio.sleep(max(0.0, until - mark - monotonic()))
            self._tell(mark)
