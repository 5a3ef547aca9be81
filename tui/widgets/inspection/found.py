"""Rows that can be searched: where words are, and how they are marked in what is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from tui.widgets.rows import Row, RowSource, Span

__all__ = ["Hit", "PageRows", "PlainRows", "occurrences"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where the words are.

    Attributes:
        index: The row, for rows that are not folded.
        places: For a source that folds: which child of which it is in; `None` in what does not fold.
        at: The character in that; -1 where the whole is meant.
    """

    index: int
    places: tuple[int, ...] | None = None
    at: int = -1


def occurrences(text: str, words: str) -> Iterator[int]:
    """Where `words`, case folded, are in a text whatever its case."""
    # Folding may change the length (ß): then lower case, which hardly ever does, tells the place.
    folded = text.casefold()
    if len(folded) != len(text):
        folded = text.lower()
    at = folded.find(words)
    while at >= 0:
        yield at
        at = folded.find(words, at + max(1, len(words)))


class _Plain(Protocol):
    def __len__(self) -> int: ...
    def row(self, index: int, width: int) -> Row: ...


class PageRows:
    """What a page shows: rows, with the words that are searched for marked in them.

    Attributes:
        words: What is searched for, case folded; empty for nothing.
    """

    def __init__(self) -> None:
        self.words = ""

    def __len__(self) -> int:
        """How many rows."""
        raise NotImplementedError

    def plain_row(self, index: int, width: int) -> Row:
        """The row at `index`, without what was searched for."""
        raise NotImplementedError

    def row(self, index: int, width: int) -> Row:
        """The row at `index`."""
        line = self.plain_row(index, width)
        if not self.words:
            return line
        marks: tuple[Span, ...] = tuple(
            (at, at + len(self.words), "match") for at in occurrences(line.text, self.words)
        )
        return Row(line.text, (*line.spans, *marks), line.hang) if marks else line

    def rewrap(self, width: int) -> None:
        """Lay the rows out for another width, where they are not made for any."""

    def search(self, words: str, most: int) -> list[Hit]:
        """Where `words`, case folded, are; at most `most`. Takes its time: off the event loop."""
        return self.hits_in((self.plain_row(index, 0) for index in range(len(self))), words, most)

    def hits_in(self, rows: Iterable[Row], words: str, most: int) -> list[Hit]:
        """Where the words are in rows that are counted from 0."""
        found = (
            Hit(index, None, at) for index, line in enumerate(rows) for at in occurrences(line.text, words)
        )
        return list(islice(found, most))

    def reveal(self, hit: Hit) -> int:
        """In which row a hit is, now that it is to be seen."""
        return hit.index


class PlainRows(PageRows):
    """Rows that are there already, or that another source makes."""

    def __init__(self, rows: RowSource) -> None:
        super().__init__()
        self._rows: _Plain = rows

    def __len__(self) -> int:
        """How many rows."""
        return len(self._rows)

    def plain_row(self, index: int, width: int) -> Row:
        """The row at `index`, without what was searched for."""
        return self._rows.row(index, width)
