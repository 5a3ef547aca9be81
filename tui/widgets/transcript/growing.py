"""Open fences and tables: rows of complete lines are made once, however long the block gets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from tui.widgets.transcript.code import Fence, code_rows, fence_closes, parse_fence
from tui.widgets.transcript.inline import inline_spans
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.rows import HARD, Row, Span
from tui.widgets.transcript.syntax import References, parser
from tui.widgets.transcript.table import Cells, Table, fitted, head_rows, read_table, row_rows
from tui.widgets.transcript.wrap import wrap, wrap_but_last

__all__ = ["GrowingFence", "GrowingParagraph", "GrowingTable", "fence_rows"]

Finish = Callable[[list[Row]], list[Row]]
"""Adds the gutter and fills rows up, in place."""


def fence_rows(source: str, width: int, palette: Palette) -> list[Row] | None:
    """Rows of a fence at top level, open or closed; None if `source` is none.

    Args:
        source: The fence, with its opening line.
        width: Of the panel in cells.
        palette: The styles.
    """
    first, _, body = source.partition("\n")
    fence = parse_fence(first)
    if fence is None:
        return None
    lines = body.removesuffix("\n").split("\n") if body else []
    if lines and fence_closes(fence, lines[-1]):
        lines.pop()
    code = "\n".join(_dedent(fence, line) for line in lines)
    if not lines and not fence.language:
        return []
    return code_rows(code, fence.language, width, palette, whole=True)


def _dedent(fence: Fence, line: str) -> str:
    blanks = len(line) - len(line.lstrip(" "))
    return line[min(blanks, fence.indent) :]


class GrowingFence:
    """The rows of a fence that is still open."""

    def __init__(self, width: int, palette: Palette, finish: Finish) -> None:
        self._width, self._palette, self._finish = width, palette, finish
        self._rows: list[Row] = []
        self._taken = 0
        self._fence: Fence | None = None

    def rest(self, source: str) -> int:
        """How many characters of `source` are not laid out yet."""
        return len(source) - self._taken

    def rows(self, source: str) -> list[Row] | None:
        """The finished rows of `source`, which begins with what was given before."""
        if self._fence is None:
            first, newline, _ = source.partition("\n")
            if not newline:
                return []
            self._fence = parse_fence(first)
            if self._fence is None:
                return None
            if self._fence.language:
                self._rows = self._lines("", self._fence.language)[:1]
            self._taken = len(first) + 1
        end = source.rfind("\n") + 1
        if end > self._taken:
            body = source[self._taken : end - 1]
            self._rows.extend(self._lines(body, ""))
            self._taken = end
        partial = source[self._taken :]
        if not partial or fence_closes(self._fence, partial):
            return list(self._rows)
        return self._rows + self._lines(partial, "")

    def _lines(self, body: str, title: str) -> list[Row]:
        assert self._fence is not None
        code = "\n".join(_dedent(self._fence, line) for line in body.split("\n"))
        language = self._fence.language
        rows = code_rows(code, language, self._width, self._palette, whole=False)
        return self._finish(rows if title or not language else rows[1:])


class GrowingTable:
    """The rows of a table that still gets more.

    Args:
        width: In cells.
        palette: The styles.
        finish: As `Finish`.
        keep: Whether a long table keeps its columns when one gets wider: then it is `stale`, and somebody
            else makes another.

    Attributes:
        stale: Whether it would have other columns if it were laid out anew.
    """

    def __init__(self, width: int, palette: Palette, finish: Finish, *, keep: bool = False) -> None:
        self._width, self._palette, self._finish = width, palette, finish
        self._keep = keep
        self.stale = False
        self._table: Table | None = None
        self._head = ""
        self._taken = 0
        self._widths: list[int] = []
        self._wraps = False
        self._rows: list[Row] = []
        self._drawn = 0

    def rest(self, source: str) -> int:
        """How many characters of `source` are not laid out yet."""
        return len(source) - self._taken

    def rows(self, source: str, references: References) -> list[Row] | None:
        """The finished rows of `source`; None where it must be drawn as records."""
        if source.count("\n") < 2:
            return None
        if self._table is None:
            end = source.index("\n", source.index("\n") + 1) + 1
            self._head, self._taken = source[:end], end
            self._table = self._read("", references)
        table = self._table
        end = max(source.rfind("\n") + 1, self._taken)
        table.rows.extend(self._read(source[self._taken : end], references).rows)
        self._taken = end
        partial = self._read(source[end:], references).rows if source[end:].strip() else []
        natural = table.measure_with(partial)
        widths = fitted(natural, self._width)
        wraps = widths is not None and any(size < want for size, want in zip(widths, natural, strict=True))
        self.stale = self._keep and self._drawn > _MANY and (widths, wraps) != (self._widths, self._wraps)
        if self.stale:
            widths, wraps = self._widths, self._wraps
        if widths is None:
            return None
        if widths != self._widths or wraps != self._wraps:
            self._widths, self._wraps, self._drawn = widths, wraps, 0
            self._rows = self._finish(head_rows(table, widths, self._palette))
        self._rows.extend(self._draw(table.rows[self._drawn :], self._drawn))
        self._drawn = len(table.rows)
        return self._rows + self._draw(partial, self._drawn)

    def _draw(self, rows: Sequence[Cells], number: int) -> list[Row]:
        assert self._table is not None
        drawn: list[Row] = []
        for index, cells in enumerate(rows, number):
            drawn.extend(row_rows(self._table, cells, index, self._widths, self._wraps, self._palette))
        return self._finish(drawn)

    def _read(self, lines: str, references: References) -> Table:
        tokens = parser().parse(self._head + lines, {"references": dict(references)})
        return read_table(tokens, self._palette, self._palette.text)


_MANY: Final = 150
"""Rows of a table that are drawn anew at once when a column gets wider."""

_STEP: Final = 600
"""Characters of a long paragraph that are read at once."""

_AT_MOST: Final = 4 * _STEP
"""Characters from which on it is read up to a blank, whatever marks are open."""


class GrowingParagraph:
    """The rows of a long paragraph that still gets more.

    What comes before a blank where no mark-up is open is read once. That is a guess (a `*` may stand for
    itself), so that the paragraph is drawn anew, as a whole, when it is final.
    """

    def __init__(self, width: int, palette: Palette, finish: Finish) -> None:
        self._width, self._palette, self._finish = width, palette, finish
        self._rows: list[Row] = []
        self._last: list[Span] = []  # of the last row so far, which is not in `_rows`
        self._join = HARD
        self._taken = 0

    def rest(self, source: str) -> int:
        """How many characters of `source` are not laid out yet."""
        return len(source) - self._taken

    def rows(self, source: str, references: References) -> list[Row]:
        """The finished rows of `source`, which begins with what was given before."""
        while (end := self._safe_end(source)) > self._taken:
            spans = [*self._last, *self._read(source[self._taken : end], references)]
            rows, self._last, join = wrap_but_last(spans, self._width)
            self._rows.extend(self._joined(rows))
            self._join = join if join != HARD or rows else self._join
            self._taken = end
        rest = wrap([*self._last, *self._read(source[self._taken :], references)], self._width)
        return self._rows + self._joined(rest)

    def _safe_end(self, source: str) -> int:
        """The index after a blank with no mark open before it, some way on; or where it was."""
        end = self._taken + _STEP
        while (end := source.find(" ", end, len(source) - _STEP) + 1) > 0:
            part = source[self._taken : end]
            even = all(part.count(mark) % 2 == 0 for mark in ("**", "*", "_", "`", "~"))
            if even and all(part.count(left) == part.count(right) for left, right in ("[]", "()", "<>")):
                return end
            if len(part) > _AT_MOST:
                return end  # A mark that stands for itself: it would have everything after it read anew.
        return self._taken

    def _joined(self, rows: list[Row]) -> list[Row]:
        if rows:
            rows[0].join = self._join
        return self._finish(rows)

    def _read(self, text: str, references: References) -> list[Span]:
        tokens = parser().parseInline(text, {"references": dict(references)})
        spans = inline_spans(tokens[0].children or [], self._palette, self._palette.text)
        # A blank at the end stands between this and what follows; the parser drops some.
        missing = text.endswith(" ") and not (spans and spans[-1][0].endswith(" "))
        return [*spans, (" ", self._palette.text)] if missing else spans
