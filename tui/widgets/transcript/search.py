"""Words looked for in the whole conversation.

Rendering ten thousand turns to search them would take seconds, so hits are counted in the sources with
markdown's marks taken out, a slice of time at once; where a hit is shown, its piece is rendered, and what
the rows say corrects the count (a hit in a link's title, say, is nothing to be seen).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from time import perf_counter
from typing import Final

from tui.widgets.transcript.flow import Flow
from tui.widgets.transcript.later import LaterView
from tui.widgets.transcript.piece import Piece
from tui.widgets.transcript.rows import HARD, Row
from tui.widgets.transcript.view import View

__all__ = ["Hit", "Search"]

_ROUGH: Final = 200
"""Rows that are soon others: of more than these none is looked at."""

_MARKS: Final = str.maketrans("", "", "*_~`\\")
_ANY_MARK: Final = re.compile(r"[*_~`\\]")
# Definitions of links and the lines of fences: there is nothing of them to be seen.
_UNSEEN: Final = re.compile(r"^ {0,3}\[[^^\]\n][^\]\n]*\]:[^\n]*$|^ {0,3}(?:```|~~~)[^\n]*$", re.MULTILINE)

Hit = tuple[int, int, int]
"""A row of a piece, and the characters in it from one to another."""


class Search:
    """The hits of one search.

    Attributes:
        query: As typed.
        done: Whether every block has been looked at.
        view: The block of the current hit; None before there is one.
        number: Which hit of that block is the current one, counted from 0.
    """

    def __init__(self, flow: Flow, query: str) -> None:
        self.query = query
        self.done = False
        self.view: View | None = None
        self.number = 0
        self._flow = flow
        words = query.split()
        self._pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
        bare = [word for word in (word.translate(_MARKS) for word in words) if word]
        self._bare = re.compile(r"\s+".join(map(re.escape, bare)), re.IGNORECASE) if bare else None
        self._rough = max((word.lower() for word in bare), key=len, default="")
        self._next = 0
        self._version = flow.version
        self._counts: dict[View, tuple[int, int]] = {}  # size of the text then, hits
        self._exact: dict[tuple[View, int], tuple[str, int]] = {}  # source of the piece then, hits
        self._located: tuple[View, int, int, list[int]] | None = None
        self._marked: dict[tuple[View, int], tuple[Sequence[Row], list[list[Hit]]]] = {}

    # -- counting -----------------------------------------------------------------------------

    def run(self, budget: float) -> bool:
        """Count for at most `budget` seconds; whether everything has been counted."""
        until = perf_counter() + budget
        views = self._flow.views
        while self._next < len(views):
            self._look_at(self._next)
            self._next += 1
            if not self._next % 16 and perf_counter() > until:
                break
        self.done = self._next >= len(views)
        self.look_again()
        return self.done

    def _look_at(self, index: int) -> None:
        """Count in the view at `index`; a group that is not made is made if there may be something in it."""
        view = self._flow.views[index]
        if isinstance(view, LaterView) and view.source.may_hold(self._rough):
            view = self._flow.made(index)
        self._count(view)

    def look_again(self) -> None:
        """Count what came or changed since: new blocks, and the last ones if they grew."""
        views = self._flow.views
        if self.done and self._version != self._flow.version:
            known = set(views)
            self._counts = {view: count for view, count in self._counts.items() if view in known}
            if self.view not in known:
                self.view = None
            index = 0
            while index < len(views):
                if views[index] not in self._counts:
                    self._look_at(index)
                index += 1
            self._version = self._flow.version
            self._next = len(views)
        for view in views[-6:]:
            if view in self._counts and self._counts[view][0] != view.size:
                self._count(view)

    def _count(self, view: View) -> None:
        found = 0
        if not isinstance(view, LaterView):  # else there is nothing in it
            found = self._in_text(view.text, markdown=view.block.is_markdown)
        self._counts[view] = (view.size, found)

    def _in_text(self, text: str, *, markdown: bool) -> int:
        if not markdown:
            return sum(1 for _ in self._pattern.finditer(text))
        if self._bare is None:
            return 0
        marked = _ANY_MARK.search(text) is not None
        if self._rough not in (text.translate(_MARKS) if marked else text).lower():
            return 0
        if "]:" in text or "```" in text or "~~~" in text:
            text = _UNSEEN.sub("", text)
        return sum(1 for _ in self._bare.finditer(text.translate(_MARKS) if marked else text))

    def count(self, view: View) -> int:
        """How many hits a block has, as far as is known."""
        return self._counts.get(view, (0, 0))[1]

    @property
    def total(self) -> int:
        """How many hits there are, as far as is known."""
        return sum(count for _, count in self._counts.values())

    @property
    def place(self) -> int:
        """The number of the current hit among all, counted from 1; 0 if there is none."""
        if self.view is None:
            return 0
        before = 0
        for view in self._flow.views[: self.view.index]:
            before += self.count(view)
        return before + self.number + 1

    # -- going from hit to hit ----------------------------------------------------------------

    def begin_near(self, first: int, last: int) -> View | None:
        """The block to begin with: in sight (from index `first` to `last`), else above, else below."""
        views = self._flow.views
        order = [*range(first, last + 1), *range(first - 1, -1, -1), *range(last + 1, len(views))]
        for index in order:
            if index < len(views) and self.count(views[index]):
                self.view = views[index]
                self.number = 0 if index >= first else self.count(views[index]) - 1
                return self.view
        self.view = None
        return None

    def step(self, by: int) -> bool:
        """Go to the next hit (1) or the one before (-1), round the end; False if there is none."""
        if self.view is None:
            return False
        number = self.number + by
        if 0 <= number < self.count(self.view):
            self.number = number
            return True
        views = self._flow.views
        for offset in range(1, len(views) + 1):
            view = views[(self.view.index + by * offset) % len(views)]
            if count := self.count(view):
                self.view = view
                self.number = 0 if by > 0 else count - 1
                return True
        self.view = None
        return False

    def locate(self) -> tuple[int, Hit] | None:
        """The piece of the current hit and where in it that is; None if its block has nothing to show.

        The block must be unfolded. Renders the piece, and corrects the counts by what is in its rows.
        """
        view = self.view
        if view is None:
            return None
        self._flow.open(view)
        counts = self._counts_of(view)
        while any(counts):
            self.number = min(self.number, sum(counts) - 1)
            left, index = self.number, 0
            while left >= counts[index]:
                left -= counts[index]
                index += 1
            hits = [hit for row in self.marks(view, index) for hit in row]
            # A hit that a wrapped line cuts is one: only its first part counts.
            firsts = [hit for hit in hits if hit[2] > 0]
            piece = view.pieces[index]
            source = piece.cut.source if piece.cut is not None else ""
            self._exact[view, index] = (source, len(firsts))
            if len(firsts) == counts[index]:
                self._settle(view, counts)
                return index, firsts[left]
            counts[index] = len(firsts)
        self._settle(view, counts)
        return None

    def _settle(self, view: View, counts: Sequence[int]) -> None:
        self._counts[view] = (view.size, sum(counts))

    def _counts_of(self, view: View) -> list[int]:
        """How many hits each piece has; kept, as there may be tens of thousands of them."""
        if self._located is None or self._located[:3] != (view, view.size, len(view.pieces)):
            counts = [self._in_piece(view, index) for index in range(len(view.pieces))]
            self._located = view, view.size, len(counts), counts
        return self._located[3]

    def _in_piece(self, view: View, index: int) -> int:
        piece = view.pieces[index]
        if piece.cut is None:
            return 0
        exact = self._exact.get((view, index))
        if exact is not None and exact[0] == piece.cut.source:
            return exact[1]
        return self._in_text(piece.cut.source, markdown=view.block.is_markdown)

    # -- marking ------------------------------------------------------------------------------

    def marks(self, view: View, index: int) -> list[list[Hit]]:
        """The hits in each row of a piece, which is rendered for it.

        Where a hit goes on in the next row, its parts there have their end negated, so that they can be told
        from hits of their own.
        """
        rows = self._flow.rows(view, index)
        kept = self._marked.get((view, index))
        if kept is not None and kept[0] is rows and len(kept[1]) == len(rows):
            return kept[1]
        if len(self._marked) > 400:
            self._marked.clear()
        piece: Piece = view.pieces[index]
        found: list[list[Hit]] = [[] for _ in range(len(rows))]
        if piece.rough and len(rows) > _ROUGH:
            return found  # They are marked when they are drawn as they will be.
        if piece.cut is not None:
            begin = 0
            while begin < len(rows):
                end = begin + 1
                while end < len(rows) and rows[end].join != HARD:
                    end += 1
                self._mark_line(rows, begin, end, found)
                begin = end
        self._marked[view, index] = (rows, found)
        return found

    def _mark_line(self, rows: Sequence[Row], begin: int, end: int, found: list[list[Hit]]) -> None:
        """Find the hits in one line, soft-wrapped into the rows from `begin` to `end`."""
        if end == begin + 1:
            row = rows[begin]
            for match in self._pattern.finditer(row.copyable):
                if match.end() > match.start():
                    found[begin].append((begin, row.skip + match.start(), row.skip + match.end()))
            return
        parts, starts, size = list[str](), list[int](), 0
        for number in range(begin, end):
            row = rows[number]
            parts.append((row.join if number > begin else "") + row.copyable)
            size += len(parts[-1])
            starts.append(size - max(0, row.end - row.skip))
        for match in self._pattern.finditer("".join(parts)):
            first = True
            for at in range(max(0, bisect_right(starts, match.start()) - 1), end - begin):
                start, row, number = starts[at], rows[begin + at], begin + at
                if start >= match.end():
                    break
                low = max(match.start(), start)
                high = min(match.end(), start + max(0, row.end - row.skip))
                if low < high:
                    stop = row.skip + high - start
                    found[number].append((number, row.skip + low - start, stop if first else -stop))
                    first = False
