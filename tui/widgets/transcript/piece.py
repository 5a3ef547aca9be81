"""What a block is cut into, what that is drawn on, and where each part of it begins."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.rows import Row
from tui.widgets.transcript.split import Cut
from tui.widgets.transcript.syntax import References

if TYPE_CHECKING:
    from tui.widgets.transcript.view import View

__all__ = ["GUTTER", "Cuts", "Paper", "Piece", "Tops", "grows", "guess_height"]

GUTTER: Final = 3
MARGIN: Final = 2


class _Tall(Protocol):
    height: int


class Tops:
    """Where each of a sequence of things begins, kept up lazily from the first one that changed."""

    __slots__ = ("_valid", "values")

    def __init__(self) -> None:
        self.values = [0]
        self._valid = 0

    def touch(self, index: int) -> None:
        """Say that the height of item `index`, or what follows, changed."""
        self._valid = min(self._valid, index)

    def update(self, items: Sequence[_Tall]) -> list[int]:
        """The tops of `items`, and last the height of all."""
        values, valid = self.values, self._valid
        if valid < len(items) or len(values) != len(items) + 1:
            del values[valid + 1 :]
            top = values[-1]
            for index in range(valid, len(items)):
                top += items[index].height
                values.append(top)
            self._valid = len(items)
        return values

    def find(self, items: Sequence[_Tall], y: int) -> int:
        """The index of the item that holds line `y`, clamped; items without height hold none."""
        return max(0, min(bisect_right(self.update(items), y) - 1, len(items) - 1))


class Paper:
    """What rows are drawn on: the width in cells, and the palette. A new one makes all rows stale.

    Attributes:
        later: Takes work that would hold up the keys: for a view, what a thread is to do, and what is
            called with its result unless there is other paper by then. None to have it done at once.
    """

    __slots__ = ("dimmed", "later", "palette", "text_width", "width")

    def __init__(self, width: int, text_width: int, palette: Palette) -> None:
        self.width = width
        self.text_width = max(8, text_width - GUTTER - MARGIN)
        self.palette = palette
        self.dimmed = palette.dimmed()
        self.later: Callable[[View, Callable[[], Any], Callable[[Any], None]], None] | None = None


class Piece:
    """A part of a block that is rendered at once.

    Attributes:
        cut: Its source; None for the title line.
        rows: Rendered, or None (not yet, or dropped to save memory).
        height: In rows; a guess until `measured`.
        rough: Whether the rows are not yet as they will be.
        meanwhile: Rows to be drawn while a thread makes those that are as they will be.
    """

    __slots__ = ("cut", "height", "meanwhile", "measured", "rough", "rows")

    def __init__(self, cut: Cut | None, height: int) -> None:
        self.cut = cut
        self.rows: Sequence[Row] | None = None
        self.height = height
        self.measured = False
        self.rough = False
        self.meanwhile: Sequence[Row] | None = None


Cuts = tuple[list[Cut], References]
"""A text's pieces and its link definitions, as `split_all` gives them."""


def grows(cut: Cut) -> bool:
    """Whether it is followed row by row while it is open."""
    return cut.kind in ("fence", "table") or cut.is_long


def guess_height(cut: Cut, paper: Paper) -> int:
    """Guess the rows of a piece without rendering it."""
    source = cut.source
    if cut.kind in ("fence", "table"):
        return max(1, source.count("\n"))
    return source.count("\n") + len(source) // (paper.text_width + 1) + cut.gap
