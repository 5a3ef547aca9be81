"""All blocks one under the other: where each is, and which rows are in sight.

Heights are guessed until a piece comes near the viewport. So a place is never a line number but an
`Anchor`, and moving by some lines walks over rendered rows; line numbers are for the scrollbar.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tui.widgets.transcript.block import Block, BlockKind
from tui.widgets.transcript.later import Later, LaterView
from tui.widgets.transcript.piece import Paper, Piece, Tops
from tui.widgets.transcript.rows import Row
from tui.widgets.transcript.tree_view import view_of
from tui.widgets.transcript.view import View

__all__ = ["Anchor", "Flow", "Line"]

_STEP = 1 << 16
_KEEP_ROWS = 800

Line = tuple[int, Row]
"""A line's id, which grows down the conversation and outlives guesses, and its row."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A row: the block's view, the piece in it, the row in that."""

    view: View
    piece: int
    row: int


class Flow:
    """The sequence of views on a paper.

    Attributes:
        views: In order; among them `LaterView`s, which `made`, `in` and `[]` replace by what they stand for.
        paper: None until the pane knows its width.
        version: Grows whenever there are other views.
    """

    def __init__(self) -> None:
        self.views: list[View] = []
        self.paper: Paper | None = None
        self.version = 0
        self._by_id: dict[str, View] = {}
        self._later: dict[str, LaterView] = {}
        self._tops = Tops()
        self._recent: OrderedDict[int, tuple[View, Piece]] = OrderedDict()
        self._recent_rows = 0
        self.rendered = 0
        """How many pieces were rendered since the start: what tests count."""

    # -- blocks -------------------------------------------------------------------------------

    def __contains__(self, block_id: str) -> bool:
        if block_id not in self._by_id:
            self.make_group(block_id.partition(":")[0])
        return block_id in self._by_id

    def __getitem__(self, block_id: str) -> View:
        if block_id not in self._by_id:
            self.make_group(block_id.partition(":")[0])
        return self._by_id[block_id]

    def fill(self, blocks: Iterable[Block | Later]) -> None:
        """Start over with `blocks`; nothing is split or rendered."""
        self.views = [
            view_of(block, (index + 1) * _STEP)
            if isinstance(block, Block)
            else LaterView(block, (index + 1) * _STEP)
            for index, block in enumerate(blocks)
        ]
        self._later = {view.source.group: view for view in self.views if isinstance(view, LaterView)}
        self._by_id = {view.block.id: view for view in self.views if not isinstance(view, LaterView)}
        if len(self._by_id) + len(self._later) != len(self.views):
            raise ValueError("block ids must be unique")
        self.version += 1
        self._recent.clear()
        self._recent_rows = 0
        self._renumber(0)
        if self.paper is not None:
            self.lay(self.paper)

    def insert(self, index: int, block: Block) -> View:
        """Put a block at `index`; renumbers the orders where no gap is left."""
        if block.id in self._by_id:
            raise ValueError(f"block id {block.id!r} is taken")
        low = self.views[index - 1].order if index else 0
        high = self.views[index].order if index < len(self.views) else low + 2 * _STEP
        view = view_of(block, (low + high) // 2)
        self.views.insert(index, view)
        self._by_id[block.id] = view
        self.version += 1
        if not low < view.order < high:
            self._reorder()
        if self.paper is not None:
            view.guess(self.paper)
        self._renumber(index)
        return view

    def remove(self, view: View) -> None:
        """Take a block away."""
        del self.views[view.index]
        del self._by_id[view.block.id]
        self.version += 1
        self._renumber(view.index)

    def made(self, index: int, *, last: bool = False) -> View:
        """The view at `index`; where a group is still to be made, its first view, or its `last` one."""
        view = self.views[index]
        if not isinstance(view, LaterView):
            return view
        made = self._make(view)
        return made[-1] if last else made[0]

    def make_group(self, group: str) -> None:
        """Make the blocks of a group, if they are not."""
        view = self._later.get(group)
        if view is not None:
            self._make(view)

    def _make(self, later: LaterView) -> list[View]:
        index, group = later.index, later.source.group
        blocks = later.source.blocks() or [Block(f"{group}:nothing", BlockKind.NOTICE, "")]
        after = self.views[index + 1].order if index + 1 < len(self.views) else later.order + _STEP
        gap = (after - later.order) // len(blocks)
        made = [view_of(block, later.order + number * gap) for number, block in enumerate(blocks)]
        self.views[index : index + 1] = made
        if not gap:
            self._reorder()
        del self._later[group]
        for view in made:
            self._by_id[view.block.id] = view
            if self.paper is not None:
                view.guess(self.paper)
        self.version += 1
        self._renumber(index)
        return made

    def _reorder(self) -> None:
        """Make room between the orders."""
        for number, view in enumerate(self.views):
            view.order = (number + 1) * _STEP

    def _renumber(self, start: int) -> None:
        for index in range(start, len(self.views)):
            self.views[index].index = index
        self._tops.touch(start)

    # -- layout -------------------------------------------------------------------------------

    def lay(self, paper: Paper) -> None:
        """Lay everything out on new paper: all heights are guesses again."""
        self.paper = paper
        self._recent.clear()
        self._recent_rows = 0
        for view in self.views:
            view.guess(paper)
        self._tops.touch(0)

    def touch(self, view: View) -> None:
        """Say that the height of `view` may have changed."""
        self._tops.touch(view.index)

    @property
    def height(self) -> int:
        """Of everything, in rows, partly guessed."""
        return self._tops.update(self.views)[-1]

    def line_of(self, anchor: Anchor) -> int:
        """The line number of an anchor, over guessed heights."""
        tops = self._tops.update(self.views)
        view = anchor.view
        inner = view.tops.update(view.pieces)
        return tops[view.index] + inner[min(anchor.piece, len(inner) - 1)] + anchor.row

    def rows(self, view: View, index: int) -> Sequence[Row]:
        """The rows of a piece, rendered if they are not."""
        assert self.paper is not None
        piece = view.pieces[index]
        if piece.rows is None:
            height = view.height
            self.rendered += 1
            view.rows(index, self.paper)
            if view.height != height:
                self._tops.touch(view.index)
            self._recent_rows += piece.height
        assert piece.rows is not None
        self._recent[id(piece)] = (view, piece)
        self._recent.move_to_end(id(piece))
        return piece.rows

    def trim(self) -> None:
        """Drop the rows of pieces that were not seen for long; their heights stay."""
        if self._recent_rows <= _KEEP_ROWS or len(self._recent) < 2:
            return
        total = sum(piece.height for _, piece in self._recent.values())
        while total > _KEEP_ROWS // 2 and len(self._recent) > 80:
            _, (_, piece) = self._recent.popitem(last=False)
            piece.rows = None
            total -= piece.height
        self._recent_rows = total

    def open(self, view: View) -> None:
        """Split a block that was not looked at yet."""
        assert self.paper is not None
        if not view.pieces:
            view.ensure(self.paper)
            self._tops.touch(view.index)

    # -- walking ------------------------------------------------------------------------------

    def start(self) -> Anchor | None:
        """The first row."""
        return Anchor(self.made(0), 0, 0) if self.views else None

    def end(self, height: int) -> Anchor | None:
        """The top row of a viewport of `height` rows that shows the end."""
        need = height
        place = len(self.views) - 1
        while place >= 0:
            view = self.made(place, last=True)
            place = view.index - 1
            self.open(view)
            for index in range(len(view.pieces) - 1, -1, -1):
                size = len(self.rows(view, index))
                if size >= need:
                    return Anchor(view, index, size - need)
                need -= size
        return self.start()

    def locate(self, line: int) -> Anchor | None:
        """The row at a line number; what is there is split and rendered."""
        if not self.views:
            return None
        index = self._tops.find(self.views, line)
        view = self.views[index]
        offset = max(0, line - self._tops.values[index])
        if isinstance(view, LaterView):
            made, guessed = self._make(view), max(1, view.height)
            offset = offset * sum(one.height for one in made) // guessed
            while len(made) > 1 and offset >= made[0].height:
                offset -= made.pop(0).height
            view = made[0]
        guessed = max(1, view.height)
        fresh = not view.pieces
        self.open(view)
        if not view.pieces:
            return Anchor(view, 0, 0)
        if fresh:
            # The same share of the block, now that its height is better known.
            offset = offset * view.height // guessed
        piece = view.tops.find(view.pieces, offset)
        row = offset - view.tops.values[piece]
        return Anchor(view, piece, max(0, min(row, len(self.rows(view, piece)) - 1)))

    def move(self, anchor: Anchor, by: int) -> Anchor:
        """The row `by` rows below (above if negative), as far as there are any."""
        view, piece, row = anchor.view, anchor.piece, anchor.row + by
        while True:
            self.open(view)
            if row < 0:
                if piece > 0:
                    piece -= 1
                    row += len(self.rows(view, piece))
                elif view.index > 0:
                    view = self.made(view.index - 1, last=True)
                    self.open(view)
                    piece = len(view.pieces)
                else:
                    return Anchor(view, 0, 0)
                continue
            if piece < len(view.pieces):
                size = len(self.rows(view, piece))
                if row < size:
                    return Anchor(view, piece, row)
                row -= size
                piece += 1
            elif view.index + 1 < len(self.views):
                view, piece = self.made(view.index + 1), 0
            else:
                return Anchor(view, max(0, len(view.pieces) - 1), max(0, self._last_row(view)))

    def _last_row(self, view: View) -> int:
        return len(self.rows(view, len(view.pieces) - 1)) - 1 if view.pieces else 0

    def lines(self, anchor: Anchor) -> Iterator[Line]:
        """The lines from `anchor` on, rendered as they are asked for."""
        piece, row = anchor.piece, anchor.row
        index = anchor.view.index
        while index < len(self.views):
            view = self.made(index)
            index = view.index + 1
            self.open(view)
            while piece < len(view.pieces):
                rows = self.rows(view, piece)
                base = (view.order << 40) | (piece << 20)
                for number in range(row, len(rows)):
                    yield base | number, rows[number]
                piece, row = piece + 1, 0
            piece, row = 0, 0

    def window(self, anchor: Anchor | None, height: int) -> list[Line]:
        """At most `height` lines from `anchor` on."""
        if anchor is None:
            return []
        window: list[Line] = []
        for line in self.lines(anchor):
            if len(window) >= height:
                break
            window.append(line)
        return window

    def by_order(self, order: int) -> int:
        """The index of the first view whose order is at least `order`."""
        low, high = 0, len(self.views)
        while low < high:
            middle = (low + high) // 2
            if self.views[middle].order < order:
                low = middle + 1
            else:
                high = middle
        return low
