"""A response body as it is recorded: its bytes, with the times at which they came.

A long answer is megabytes of much the same bytes in tens of thousands of pieces. So the body is kept in
deflated blocks as it grows (a thirtieth of its size, 1.5 ms of CPU a megabyte), and the pieces are numbers in
arrays that point into it. It reads as a sequence of `Chunk`, made when asked for.

What comes is only put aside, until there is a block of it or somebody asks: while an answer comes slowly,
each piece finds the processor's caches cold, and what runs for it takes ten times as long as in a row.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final, cast

from tui.core.lazy_sequence import GrowingSequence

__all__ = ["BLOCK", "Chunk", "Chunks", "same"]

BLOCK: Final = 49_152
"""Bytes of a block of the body before it is deflated, at least; twice as many at most, but for the last."""

_MEMORY: Final = 7  # of zlib: to begin a block takes less time than with its default, 8


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of a response body as they arrived.

    Attributes:
        offset: Seconds since the exchange began, to the microsecond.
        data: The bytes, with any echo of the token masked.
    """

    offset: float
    data: bytes


_Aside = tuple[Sequence[float], Sequence[int], bytes, float]
"""Times and sizes of pieces, their bytes, and when the exchange began."""


class Chunks(GrowingSequence[Chunk, _Aside]):
    """A response body as it arrived; grows at its end. One thread appends, any may read.

    Args:
        chunks: What has come so far.
    """

    def __init__(self, chunks: Iterable[Chunk] = ()) -> None:
        super().__init__()
        self._times = array("q")  # microseconds
        self._ends = array("q")
        self._blocks: list[bytes] = []  # deflated
        self._starts = array("q")  # of the blocks in the body
        self._sealed = 0  # bytes in blocks
        self._held: list[bytes] = []  # what is in no block yet
        self._holding = 0  # bytes in that
        self._put_aside = 0  # bytes since it was last seen to
        self._inflated: tuple[int, bytes] = (-1, b"")
        for chunk in chunks:
            self.append(chunk)

    @classmethod
    def restored(
        cls, times: array[int], ends: array[int], blocks: Sequence[bytes], starts: array[int], size: int
    ) -> Chunks:
        """A body that was taken apart by `parts`; nothing of it is inflated before it is read.

        Args:
            times: When each chunk came, microseconds.
            ends: Where each ends in the body.
            blocks: The body's deflated blocks.
            starts: Where each of them begins in the body.
            size: Bytes of the body.
        """
        made = cls()
        made._times, made._ends = times, ends
        made._blocks, made._starts, made._sealed = list(blocks), starts, size
        return made

    def parts(self) -> tuple[array[int], array[int], list[bytes], array[int]]:
        """Times, ends, deflated blocks and their starts, as `restored` takes them; a copy of this moment."""
        self._settle()
        with self._lock:
            count = len(self._ends)
            ends, blocks, starts = self._ends[:count], list(self._blocks), self._starts[:]
            size = ends[-1] if ends else 0
            rest = b"".join(self._held)[: size - self._sealed]
            sealed = self._sealed
        if rest:
            blocks.append(_deflated(rest))
            starts.append(sealed)
        return self._times[:count], ends, blocks, starts

    def append(self, chunk: Chunk) -> None:
        """Add what came."""
        self.add(chunk.offset, chunk.data)

    def add(self, offset: float, data: bytes) -> None:
        """Add bytes that came `offset` seconds after the exchange began."""
        self.add_all((offset,), (len(data),), data)

    def add_all(self, times: Sequence[float], sizes: Sequence[int], data: bytes, began: float = 0.0) -> None:
        """Add what came in several pieces, of which each has some bytes.

        Args:
            times: When each came, seconds.
            sizes: How many bytes of `data` are in each.
            data: All of them.
            began: When the exchange began, by the same clock.
        """
        self._aside.append((times, sizes, data, began))
        self._put_aside += len(data)
        if self._put_aside >= BLOCK:
            self._put_aside = 0
            self._settle()

    def _see_to(self, aside: Sequence[_Aside]) -> None:
        microseconds: list[int] = []
        lengths: list[int] = []
        before = self._sealed + self._holding
        for times, sizes, data, began in aside:
            microseconds += [int((time - began) * 1e6 + 0.5) for time in times]
            lengths += sizes
            self._held.append(data)
            self._holding += len(data)
        ends = accumulate(lengths, initial=before)
        next(ends)
        self._times.extend(array("q", microseconds))
        self._ends.extend(array("q", list(ends)))
        if self._holding >= BLOCK:
            self._seal()

    def came(self, end: int) -> float | None:
        """When the byte before `end` came, seconds; `None` if it has not."""
        self._settle()
        index = bisect_left(self._ends, end)
        return self._times[index] / 1e6 if index < len(self._ends) else None

    def times_of(self, ends: array[int]) -> array[int]:
        """When the byte before each of these places came, microseconds; the places ascend."""
        self._settle()
        first = bisect_left(self._ends, ends[0]) if ends else 0
        last = first + len(ends)
        # Most servers send each event for itself.
        if self._ends[first:last] == ends:
            return self._times[first:last]
        found = array("q")
        known = len(self._ends)
        if known and ends:
            # Some send many in a piece, some each in several: a search for each piece, or for each event.
            done, index = 0, first
            while done < len(ends) and index < known:
                until = bisect_right(ends, self._ends[index], done)
                found.extend(self._times[index : index + 1] * (until - done))
                done = until
                index = bisect_left(self._ends, ends[done], index) if done < len(ends) else index
        found.extend(array("q", self._times[known - 1 : known] or [0]) * (len(ends) - len(found)))
        return found

    def _seal(self) -> None:
        """Deflate what is held; whoever calls holds the lock."""
        data = b"".join(self._held)
        size = len(data)
        # What is left of the last is in the same block: of one small block more nobody has anything.
        cuts = [*range(0, size - BLOCK + 1, BLOCK), size]
        if len(cuts) == 2:
            made = [_deflated(data)]
        else:
            made = [_deflated(data[start:end]) for start, end in pairwise(cuts)]
        self._starts.extend([self._sealed + start for start in cuts[:-1]])
        self._blocks += made
        self._sealed += size
        self._held, self._holding = [], 0

    def ends(self, first: int, last: int) -> array[int]:
        """Where the chunks from number `first` to before `last` end in the body."""
        self._settle()
        return self._ends[first:last]

    @property
    def size(self) -> int:
        """Bytes of the body so far."""
        self._settle()
        return self._ends[-1] if self._ends else 0

    def body(self, start: int = 0, end: int | None = None) -> bytes:
        """The body, or the bytes from `start` to before `end` of it."""
        size = self.size
        end = size if end is None else min(end, size)
        with self._lock:
            start = max(start, 0)
            pieces: list[bytes] = []
            if start < min(end, self._sealed):
                first = bisect_right(self._starts, start) - 1
                for index in range(first, len(self._blocks)):
                    at = self._starts[index]
                    if at >= end:
                        break
                    pieces.append(self._inflate(index)[max(0, start - at) : end - at])
            if end > self._sealed:
                held = b"".join(self._held)
                pieces.append(held[max(0, start - self._sealed) : end - self._sealed])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _inflate(self, index: int) -> bytes:
        # Whoever reads one event reads its neighbours next.
        if self._inflated[0] != index:
            self._inflated = (index, zlib.decompress(self._blocks[index]))
        return self._inflated[1]

    def __len__(self) -> int:
        """How many chunks came."""
        self._settle()
        return len(self._ends)

    def made(self, index: int) -> Chunk:
        """A chunk by its number."""
        start = self._ends[index - 1] if index else 0
        return Chunk(self._times[index] / 1e6, self.body(start, self._ends[index]))

    def __eq__(self, other: object) -> bool:
        """Whether the other, a sequence of chunks, holds the same."""
        return same(self, other)

    def __repr__(self) -> str:
        """In short: the bytes are not shown."""
        return f"<{len(self):,} chunks, {self.size:,} bytes>"


def _deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(1, memLevel=_MEMORY)
    return deflater.compress(data) + deflater.flush()


def same(one: Sequence[object], other: object) -> bool:
    """Whether another sequence holds the same; what `__eq__` gives."""
    if not isinstance(other, Sequence) or isinstance(other, (str, bytes)):
        return NotImplemented
    others = cast("Sequence[object]", other)
    return len(one) == len(others) and all(a == b for a, b in zip(one, others, strict=True))
