"""Reads a body as it comes, and hands on together what came in one go.

A fast answer comes in thousands of small pieces. To look through each for the token, to note each and to
decode each for itself takes longer than to do so once for all that lay ready.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

import httpx

__all__ = ["Arriving", "Batch"]

_MOST: Final = 65_536
"""Bytes that wait to be taken at most; then nothing more is read."""

# A wake-up for each event costs more than all else that is done with it (0.5 s of CPU per 1,000 events).
# So from this many pieces a second on, what comes within the pause is read together: fifty times a second,
# as often as anybody sees a text grow. What comes slower is read, and noted with its time, as it comes.
_RAPID: Final = 80.0
_PAUSE: Final = 0.020
_LARGE: Final = 16_384  # bytes since the last pause: what comes that fast comes in large pieces anyway
_WAITED: Final = 0.0005  # seconds: a piece that took less was there before it was asked for


@dataclass(frozen=True, slots=True)
class Batch:
    """What came in one go; secrets are still in it.

    Attributes:
        times: When each piece came, by the clock that was given.
        pieces: Their bytes, none of them empty.
    """

    times: list[float]
    pieces: list[bytes]


class Arriving:
    """A body that is read in a task of its own. It holds what the recorder has not yet masked.

    Args:
        inner: The body.
        monotonic: The clock, seconds.
    """

    def __init__(self, inner: httpx.AsyncByteStream, monotonic: Callable[[], float]) -> None:
        self._inner = inner
        self._monotonic = monotonic
        self._times: list[float] = []
        self._pieces: list[bytes] = []
        self._waiting = 0  # bytes in these
        self._came = asyncio.Event()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        """Without the bytes."""
        return f"<Arriving, {self._waiting:,} bytes wait>"

    async def batches(self) -> AsyncIterator[Batch]:
        """What comes, until the body ends.

        Raises:
            httpx.HTTPError, OSError: As the body does, when all that came before was given.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._read())
        while True:
            if not self._task.done():
                await self._came.wait()
                self._came.clear()
            if self._pieces:
                yield self.take()
            elif self._task.done():
                self._task.result()
                return

    def take(self) -> Batch:
        """What has come and was not taken yet."""
        batch = Batch(self._times, self._pieces)
        self._times, self._pieces, self._waiting = [], [], 0
        self._room.set()
        return batch

    async def stop(self) -> None:
        """Read no more. What had come can still be taken."""
        task = self._task
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            # What it raised was said to whoever read on, or nobody wanted to know.
            task.exception()

    async def _read(self) -> None:
        now, loop = self._monotonic, asyncio.get_running_loop()
        last = counted = -math.inf
        count = size = 0
        tells_soon = False

        def tell() -> None:
            nonlocal tells_soon
            tells_soon = False
            self._came.set()

        try:
            async for piece in self._inner:
                at = now()
                if not piece:
                    continue
                self._times.append(at)
                self._pieces.append(piece)
                self._waiting += len(piece)
                count += 1
                size += len(piece)
                rapid, waited, last = False, at - last >= _WAITED, at
                if waited:
                    rapid = count > _RAPID * (at - counted) and size < _LARGE
                    counted, count, size = at, 0, 0
                if rapid:
                    await asyncio.sleep(_PAUSE)
                    last = now()
                    # When what lies ready has been read as well: one wake-up for all of it.
                    tells_soon = True
                    loop.call_later(_WAITED, tell)
                elif len(self._pieces) == 1 and not tells_soon:
                    self._came.set()
                if self._waiting >= _MOST:
                    self._room.clear()
                    await self._room.wait()
                    last = now()
        finally:
            self._came.set()
