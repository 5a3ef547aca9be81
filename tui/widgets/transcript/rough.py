"""What is very large, drawn roughly at once and as it should be when a thread has made its rows."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final

from rich.segment import Segment

from tui.core.lazy_sequence import LazySequence
from tui.core.text import visible_line
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.rows import Row, pad
from tui.widgets.transcript.split import Cut
from tui.widgets.transcript.wrap import fold, settled

__all__ = ["GrowingLater", "RoughRows", "is_large", "many"]

_AT_ONCE: Final = {"table": 6_000, "fence": 4_000, "plain": 40_000}
_LINE: Final = 40
"""A line takes as long as so many characters do."""

_OTHERS: Final = 12_000
"""Characters of a piece that are drawn within a third of what a callback may take."""

_MANY_ROWS: Final = 400

_END: Final = 200_000
"""Characters at the start and at the end of a text that are drawn roughly; nobody gets further meanwhile."""


def is_large(cut: Cut, length: int | None = None) -> bool:
    """Whether drawing `length` characters of a piece, by default all, would hold up the keys."""
    size = len(cut.source) if length is None else length
    if (most := _AT_ONCE.get(cut.kind)) is not None:
        return size > most
    # Each line costs too: it may be an item of a list in a list.
    return size + _LINE * cut.source.count("\n") > _OTHERS


class _ManyRows(list[Row]):
    """Rows that are given back by a thread when nobody has them any more: that takes a while too."""

    def __del__(self) -> None:
        _waste.put(self[:])
        if not _emptying.is_set():
            _emptying.set()
            threading.Thread(target=_empty, name="rows that are gone", daemon=True).start()


def many(rows: Sequence[Row]) -> Sequence[Row]:
    """The same rows; of very many the memory is given back by a thread."""
    made_late = isinstance(rows, _ManyRows | RoughRows)
    return rows if made_late or len(rows) <= _MANY_ROWS else _ManyRows(rows)


_BATCH: Final = 200
_waste: queue.SimpleQueue[list[Row]] = queue.SimpleQueue()
_emptying = threading.Event()


def _empty() -> None:
    while True:
        rows = _waste.get()
        while rows:
            del rows[-_BATCH:]  # Not all at once: nobody else has his turn meanwhile.


class RoughRows(LazySequence[Row]):
    """A text's lines as they are, cut at the width: a row is made when it is asked for.

    Args:
        cut: What is to be drawn.
        width: In cells.
        palette: The styles.
        finish: Adds the gutter and fills rows up, in place.
    """

    def __init__(
        self, cut: Cut, width: int, palette: Palette, finish: Callable[[list[Row]], list[Row]]
    ) -> None:
        self._palette, self._finish = palette, finish
        self._code = cut.kind == "fence"
        source = cut.source.rstrip("\n")
        if len(source) > 2 * _END:
            source = f"{source[:_END]}\n…\n{source[-_END:]}"
        self._width = max(1, width - 4 if self._code else width)
        # What is wide is so in up to two cells.
        size = self._width if source.isascii() else max(1, self._width // 2)
        self._lines: list[str] = []
        for line in source.split("\n"):
            if len(line) <= size:
                self._lines.append(line)
            else:
                self._lines += [line[start : start + size] for start in range(0, len(line), size)]
        if cut.gap:
            self._lines.append("")
        self._gap = cut.gap
        self._panel = width
        self._made: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def made(self, index: int) -> Row:
        """A row by its number."""
        row = self._made.get(index)
        if row is None:
            row = self._made[index] = self._make(index)
        return row

    def _make(self, index: int) -> Row:
        style = self._palette.code if self._code else self._palette.text
        text = visible_line(settled(self._lines[index].expandtabs(4)))
        row = Row.of(fold([(text, style)], self._width)[0] if text else [])
        if self._code and not (self._gap and index == len(self._lines) - 1):
            row.segments.insert(0, Segment("  ", style))
            row.skip, row.end = 2, row.end + 2
            pad(row, self._panel, style)
        return self._finish([row])[0]


class GrowingLater:
    """Stands for the rows of an open piece while a thread lays out all there is of it so far.

    Attributes:
        meanwhile: Makes the rows to be drawn until then.
    """

    def __init__(self, meanwhile: Callable[[Cut], Sequence[Row]]) -> None:
        self.meanwhile = meanwhile
