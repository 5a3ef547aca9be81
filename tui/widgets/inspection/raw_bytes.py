"""Bytes as they came, as rows that lose nothing: cut by arithmetic, read only where they are looked at."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from tui.core import figures
from tui.core.exchange import Chunk, Chunks
from tui.core.text import visible_line
from tui.widgets.inspection.found import Hit, PageRows
from tui.widgets.rows import Mark, Row, Span, row, wrap

__all__ = ["RawBytes"]

_AT_FIRST: Final = 500
"""Pieces whose rows are counted before the first of them are shown."""
_AT_ONCE: Final = 3_000
_LONG: Final = 100_000
_LINE_END: Final = b"\n"
_CONTINUES: Final = 0x80
_SURROGATE: Final = 0xDC00


class RawBytes(PageRows):
    r"""Pieces of a body as rows, each with the bytes that it shows.

    A row ends where a line of the body ends (that is shown as `␊`) or where the width does. Bytes that are
    no UTF-8 stand as `\xNN`. The rows are for one width; `rewrap` is for another. Make it off the event loop.

    Args:
        pieces: The body, in the pieces in which it came.
        head: Rows above it.
        width: Cells.
        times: Whether a row above each piece says when it came.
        tinted: Ranges of the whole body to colour, in order; `None` colours nothing.
    """

    def __init__(
        self,
        pieces: Sequence[Chunk],
        head: Sequence[Row],
        width: int,
        *,
        times: bool = False,
        tinted: Sequence[tuple[int, int]] | None = None,
    ) -> None:
        super().__init__()
        self._pieces = pieces
        self._unwrapped = list(head)
        self._times = times
        self._tinted = tinted
        self._head: list[Row] = []
        self._firsts = array("q")
        self._offsets = array("q")
        self._count = self._octets = 0
        self._width = 0
        self._counting = threading.Lock()
        self._lines_of = lru_cache(maxsize=64)(self._split)
        self._is_one_line = lru_cache(maxsize=64)(self._has_one_line)
        self.rewrap(width)

    def __len__(self) -> int:
        """How many rows."""
        return self._count

    def rewrap(self, width: int) -> None:
        """Count the rows for another width."""
        width = max(width, 8)
        if width == self._width:
            return
        with self._counting:
            self._width = width
            self._lines_of.cache_clear()
            self._head = wrap(self._unwrapped, width)
            self._firsts, self._offsets = array("q"), array("q")
            self._count, self._octets = len(self._head), 0
            self._count_some(_AT_FIRST)

    def grown(self) -> bool:
        """Whether pieces came since the rows were counted; counts some of these."""
        # A thread that counts already tells of them, too.
        if not self._counting.acquire(blocking=False):
            return False
        try:
            return self._count_some(_AT_FIRST)
        finally:
            self._counting.release()

    @property
    def waits(self) -> bool:
        """Whether the rows of some pieces are not counted yet."""
        return len(self._pieces) > len(self._firsts)

    def count_more(self) -> None:
        """Count the rows of more pieces; off the event loop."""
        with self._counting:
            self._count_some(_AT_ONCE)

    def _count_some(self, most: int) -> bool:
        known = len(self._firsts)
        end = min(len(self._pieces), known + most)
        firsts, offsets = array("q"), array("q")
        count, octets = self._count, self._octets
        for data in _datas(self._pieces, known, end):
            firsts.append(count)
            offsets.append(octets)
            count += self._rows_in(data)
            octets += len(data)
        self._firsts += firsts
        self._offsets += offsets
        self._count, self._octets = count, octets
        return end > known

    def _rows_in(self, data: bytes) -> int:
        if not data.isascii():
            return self._times + sum(_rows(line, self._cut(line)) for line in _lines(data))
        # Nearly every piece, and there may be a hundred thousand of them.
        lines = data.split(_LINE_END)
        most = self._width
        count = self._times + len(lines) - (not lines[-1])
        for line in lines:
            if len(line) > most:
                count += (len(line) - 1) // most
        return count

    def _cut(self, line: bytes) -> int:
        """Bytes of a line that surely fit into a row: no character is wider than its bytes are many."""
        if line.isascii():
            return self._width
        try:
            line.decode()
        except UnicodeDecodeError:
            return max(2, self._width // 4)
        # A character that begins in a row is shown whole in it.
        return self._width - 1

    def _split(self, number: int) -> list[tuple[int, int]]:
        """Begin and end of every row of a piece."""
        data = self._pieces[number].data
        rows: list[tuple[int, int]] = []
        at = 0
        for line in _lines(data):
            cut = self._cut(line)
            steps = [step * cut for step in range(_rows(line, cut))]
            if cut == self._width - 1:
                steps = [_whole_characters(line, step) for step in steps]
            cuts = [at + step for step in steps]
            rows += zip(cuts, [*cuts[1:], at + len(line)], strict=True)
            at += len(line)
        return rows

    def _has_one_line(self, number: int) -> bool:
        data = self._pieces[number].data
        return len(data) > _LONG and data.isascii() and data.find(_LINE_END, 0, len(data) - 1) < 0

    def _span(self, number: int, inner: int) -> tuple[int, int]:
        """Begin and end of a row of a piece."""
        if not self._is_one_line(number):
            return self._lines_of(number)[inner]
        # A body of megabytes in one line: its rows are counted, not listed.
        start, size = inner * self._width, len(self._pieces[number].data)
        end = start + self._width
        return start, (
            size if end >= size - 1 and self._pieces[number].data.endswith(_LINE_END) else min(end, size)
        )

    def _place(self, index: int) -> tuple[int, int]:
        """The piece that a row shows, and which row of it: -1 for the one that says when it came."""
        number = bisect_right(self._firsts, index) - 1
        # Empty pieces have no rows of their own.
        return number, index - self._firsts[number] - self._times

    def bytes_of(self, index: int) -> bytes:
        """What a row shows of the body; nothing for a row that shows something else."""
        if index < len(self._head):
            return b""
        number, inner = self._place(index)
        if inner < 0:
            return b""
        start, end = self._span(number, inner)
        return self._pieces[number].data[start:end]

    def index_at(self, offset: int) -> int:
        """The row that shows a byte of the body."""
        number = max(0, bisect_right(self._offsets, offset) - 1)
        if self._firsts and self._is_one_line(number):
            return self._firsts[number] + self._times + (offset - self._offsets[number]) // self._width
        starts = [start for start, _ in self._lines_of(number)] if self._firsts else []
        inner = max(0, bisect_right(starts, offset - self._offsets[number]) - 1) if starts else 0
        return self._firsts[number] + self._times + inner if starts else 0

    def plain_row(self, index: int, width: int) -> Row:
        """The row at `index`, without what was searched for."""
        if index < len(self._head):
            return self._head[index]
        number, inner = self._place(index)
        if inner < 0:
            piece = self._pieces[number]
            words = f"── {piece.offset * 1000:,.0f} ms · {figures.size(len(piece.data))} "
            return row((words + "─" * max(0, self._width - len(words)), "dim"))
        start, end = self._span(number, inner)
        return self._row(self._pieces[number].data[start:end], self._offsets[number] + start)

    def _row(self, data: bytes, offset: int) -> Row:
        ends = data.endswith(_LINE_END)
        texts: list[str] = []
        spans: list[Span] = []
        position = 0
        for text, mark in _readable(data.removesuffix(_LINE_END)):
            texts.append(text)
            if mark:
                spans.append((position, position + len(text), mark))
            position += len(text)
        if self._tinted is not None:
            spans = self._tints(data, offset, position)
        if ends and position < self._width:
            texts.append("␊")
            spans.append((position, position + 1, "dim"))
        return Row("".join(texts), tuple(spans))

    def _tints(self, data: bytes, offset: int, length: int) -> list[Span]:
        spans: list[Span] = [(0, length, "dim")]
        ranges = self._tinted or ()
        first = bisect_right(ranges, offset, key=lambda part: part[1])
        for start, end in ranges[first:]:
            if start >= offset + len(data):
                break
            begin = len(data[: max(0, start - offset)].decode("utf-8", "replace"))
            stop = len(data[: end - offset].decode("utf-8", "replace"))
            spans.append((begin, min(stop, length), "success"))
        return spans

    def search(self, words: str, most: int) -> list[Hit]:
        """Find words in the body, whatever their case; off the event loop."""
        hits = self.hits_in(self._head, words, most)
        wanted = words.encode()
        body = b"".join(piece.data for piece in list(self._pieces)).lower()
        at = body.find(wanted)
        while at >= 0 and len(hits) < most:
            hits.append(Hit(-1, None, at))
            at = body.find(wanted, at + len(wanted))
        return hits

    def reveal(self, hit: Hit) -> int:
        """In which row a hit is."""
        return hit.index if hit.index >= 0 else self.index_at(hit.at)


def _datas(pieces: Sequence[Chunk], first: int, last: int) -> Iterator[bytes]:
    if not isinstance(pieces, Chunks):
        yield from (pieces[number].data for number in range(first, last))
        return
    # A hundred thousand of them: one copy of that part of the body, and no object for each.
    ends = pieces.ends(first, last)
    begin = start = pieces.ends(first - 1, first)[0] if first else 0
    body = pieces.body(start, ends[-1]) if ends else b""
    for end in ends:
        yield body[start - begin : end - begin]
        start = end


def _lines(data: bytes) -> list[bytes]:
    """The lines with their ends."""
    parts = data.split(_LINE_END)
    lines = [part + _LINE_END for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _rows(line: bytes, cut: int) -> int:
    length = len(line) - line.endswith(_LINE_END)
    return max(1, -(-length // cut))


def _whole_characters(line: bytes, at: int) -> int:
    """The next place from `at` on where a character begins."""
    for step in range(4):
        if at + step >= len(line) or line[at + step] & 0xC0 != _CONTINUES:
            return min(at + step, len(line))
    return at


def _readable(data: bytes) -> list[tuple[str, Mark | None]]:
    text = data.decode("utf-8", "surrogateescape")
    if not any(_SURROGATE < ord(sign) <= _SURROGATE + 0xFF for sign in text):
        return [(visible_line(text), None)]
    return [
        (f"\\x{ord(sign) - _SURROGATE:02x}", "fold")
        if _SURROGATE < ord(sign) <= _SURROGATE + 0xFF
        else (visible_line(sign), None)
        for sign in text
    ]
