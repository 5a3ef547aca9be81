"""A block as the pane keeps it: its text, cut into pieces, each rendered when it comes into sight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from tui.core.text import visible
from tui.widgets.transcript.block import Block
from tui.widgets.transcript.drawn import blank_row, finished, palette_of, piece_rows, title_rows
from tui.widgets.transcript.growing import GrowingFence, GrowingParagraph, GrowingTable
from tui.widgets.transcript.markdown import MEASURE
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.piece import Cuts, Paper, Piece, Tops, grows, guess_height
from tui.widgets.transcript.rough import GrowingLater, RoughRows, is_large, many
from tui.widgets.transcript.rows import Row
from tui.widgets.transcript.split import Cut, PlainSplitter, Splitter, is_split, split_ahead, split_all
from tui.widgets.transcript.syntax import References

__all__ = ["View"]


class View:
    """One block of the conversation in the pane.

    Attributes:
        order: Grows along the conversation, with gaps to insert into; part of a line's id.
        index: Where it is in the pane.
        height: In rows, blank row at the end included; partly guessed.
        pieces: Empty until it is first near the viewport.
    """

    # There are tens of thousands of them in a long conversation.
    __slots__ = (
        "_block",
        "_carry",
        "_final",
        "_growing",
        "_lines",
        "_parts",
        "_size",
        "_splitter",
        "_unsplit",
        "height",
        "index",
        "order",
        "pieces",
        "references",
        "tops",
    )

    def __init__(self, block: Block, order: int) -> None:
        self._block = block
        self.order = order
        self.index = 0
        self.pieces: list[Piece] = []
        self.height = 0
        self.tops = Tops()
        self.references: References = {}
        self._parts = [block.text]
        self._lines = block.text.count("\n")
        self._size = len(block.text)
        self._splitter: Splitter | PlainSplitter | None = None
        self._final = 0  # how many of `pieces` are final
        self._growing: _Growing | GrowingLater | None = None
        self._carry = ""
        self._unsplit: object | None = None  # what tells the split that a thread is at from others

    @property
    def block(self) -> Block:
        """As given last; its `text` is stale while the block streams, see `View.text`."""
        return self._block

    @block.setter
    def block(self, block: Block) -> None:
        self._block = block

    @property
    def text(self) -> str:
        """The source text so far, as it came."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0]

    @property
    def folded(self) -> bool:
        """Whether only the title line is drawn."""
        return self.block.folded

    @property
    def size(self) -> int:
        """Of the text so far, in characters."""
        return self._size

    # -- text ---------------------------------------------------------------------------------

    def feed(self, delta: str, paper: Paper | None) -> None:
        """Add streamed text."""
        self._parts.append(delta)
        self._lines += delta.count("\n")
        self._size += len(delta)
        if self._splitter is None:
            if self.pieces:
                # It was split as a finished text, or is folded: start over as a stream.
                self.pieces = []
            if paper is not None and not self.folded:
                self.split(paper)
            elif paper is not None:
                self.guess(paper)
            return
        if paper is not None:
            self._take(delta, paper)

    def _take(self, delta: str, paper: Paper) -> None:
        assert self._splitter is not None
        # "\r\n" may be cut by a delta; alone, the "\r" would be drawn as a symbol.
        raw = self._carry + delta
        self._carry = "\r" if raw.endswith("\r") else ""
        final = self._splitter.append(visible(raw.removesuffix("\r") if self._carry else raw))
        old = self.pieces[self._final :]
        fresh = [*final, *self._splitter.open]
        if self._splitter.references is not self.references:
            self._refer(self._splitter.references)
        pieces: list[Piece] = []
        for position, cut in enumerate(fresh):
            if position < len(old) and (before := old[position].cut) is not None and before.same(cut):
                old[position].cut = cut
                pieces.append(old[position])
            else:
                pieces.append(Piece(cut, guess_height(cut, paper)))
        self.tops.touch(self._final)
        self.pieces[self._final :] = pieces
        if final and old and old[0].rows is not None and grows(final[0]):
            self._end_growing(pieces[0], final[0], old[0], paper)
        if len(final) or not pieces or (pieces[0].cut and not grows(pieces[0].cut)):
            self._growing = None
        self._final += len(final)
        self._head_gap(paper)
        self._sum()

    @property
    def is_followed(self) -> bool:
        """Whether its markdown is split as it comes, and drawn."""
        return self._splitter is not None and self.block.is_markdown and not self.folded

    def close(self, text: str | None, paper: Paper | None, cuts: Cuts | None = None) -> None:
        """End the stream; what is drawn now is what a fresh render of the whole text draws.

        Args:
            text: The final text; None if what came stands.
            paper: What is drawn on.
            cuts: The text's pieces where they are known; by default it is split here.
        """
        if text is not None and text != self.text:
            self._parts, self._lines, self._size = [text], text.count("\n"), len(text)
        elif paper is not None and isinstance(self._growing, GrowingTable):
            # A large table is not read anew for its last row.
            for index in range(self._final, len(self.pieces)):
                self.rows(index, paper)
        self._splitter, self._carry, self._growing, self._unsplit = None, "", None, None
        if paper is None or not self.pieces or self.folded:
            self.pieces = []
            if paper is not None:
                self.guess(paper)
            return
        old = {piece.cut.source: piece for piece in self.pieces if piece.cut is not None}
        known = _targets(self.references)
        self.split(paper, live=False, cuts=cuts)
        # A definition in the last, unfinished line counts only now.
        moved = known != _targets(self.references)
        for index, piece in enumerate(self.pieces):
            if piece.cut is None or (moved and "[" in piece.cut.source):
                continue
            before = old.get(piece.cut.source)
            if before is None or before.cut is None:
                continue
            if before.rough or not before.cut.same(piece.cut):
                piece.meanwhile = before.rows
            else:
                before.cut = piece.cut
                self.pieces[index] = before
        self.tops.touch(0)
        self._sum()

    def replace(self, block: Block, paper: Paper | None) -> None:
        """Take a new state of the block; only what changed is rendered again."""
        same_text = block.text == self.text
        same_shape = block.folded == self.block.folded and block.kind == self.block.kind
        self.block = replace(block, text="")
        if not same_text:
            self._parts, self._lines, self._size = [block.text], block.text.count("\n"), len(block.text)
        if same_text and same_shape and self.pieces:
            self.retitle()
        else:
            self.reset()
            if paper is not None:
                self.guess(paper)

    def retitle(self) -> None:
        """Have the title line rendered again."""
        if self.pieces and self.pieces[0].cut is None:
            self.pieces[0].rows = None

    def reset(self) -> None:
        """Forget all pieces."""
        self.pieces, self._splitter, self._growing, self._carry = [], None, None, ""
        self._unsplit = None

    # -- layout -------------------------------------------------------------------------------

    def guess(self, paper: Paper) -> None:
        """Guess the height from the text's size alone, and forget what was rendered."""
        self._growing = self._unsplit = None
        self.tops.touch(0)
        if self._splitter is not None and self.pieces and not self.folded:
            # The pieces of what streams are the same on other paper.
            self.pieces = [
                Piece(piece.cut, 1 if piece.cut is None else guess_height(piece.cut, paper))
                for piece in self.pieces
            ]
            self._head_gap(paper)
            self._sum()
            return
        self.pieces = []
        if self._splitter is not None:
            self._splitter = None
            self.split(paper)
            return
        self.height = 1 + bool(self._has_title())
        if self._size and not self.folded:
            self.height += self._lines + 1 + self._size // (paper.text_width + 1)

    def split(self, paper: Paper, *, live: bool = True, cuts: Cuts | None = None) -> None:
        """Cut the text into pieces, if it is not (`cuts`); `live` if more of it may come."""
        self.pieces = []
        self.tops.touch(0)
        if self._has_title():
            self.pieces.append(Piece(None, 1))
        self._final = len(self.pieces)
        if not self.folded:
            if live:
                self._splitter = Splitter() if self.block.is_markdown else PlainSplitter()
                self._carry = ""
                self._take(self.text, paper)
                return
            if self.block.is_markdown and (cuts or not self._split_later(paper)):
                parts, self.references = cuts or split_all(visible(self.text))
            else:
                splitter, text = PlainSplitter(), visible(self.text)
                parts = [*splitter.append(text), *splitter.open] if text else []
            self.pieces += [Piece(cut, guess_height(cut, paper)) for cut in parts]
            self._final = len(self.pieces)
        self._head_gap(paper)
        self._sum()

    def _split_later(self, paper: Paper) -> bool:
        """Have a very long text split in a thread; until then its lines are drawn as they are."""
        text = self.text
        if paper.later is None or self._size + _LINE * self._lines < _SPLIT_AT_ONCE or is_split(text):
            return False
        mark = self._unsplit = object()

        def work() -> Cuts:
            split_ahead([text])
            return split_all(visible(text))

        def done(cuts: Cuts) -> None:
            if self._unsplit is mark:
                self.close(None, paper, cuts)

        paper.later(self, work, done)
        return True

    def ensure(self, paper: Paper) -> None:
        """Split the text if it is not."""
        if not self.pieces and (self._has_title() or self._size):
            self.split(paper, live=False)

    def _has_title(self) -> bool:
        block = self.block
        return bool(block.title or block.state or block.folded or block.has_fold_mark)

    def _head_gap(self, paper: Paper) -> None:
        """The title line is followed by a blank row if nothing else is."""
        if self.pieces and self.pieces[0].cut is None:
            head = self.pieces[0]
            height = 2 if len(self.pieces) == 1 else 1
            if head.height != height:
                head.height, head.rows = height, None
                self.tops.touch(0)

    def _sum(self) -> None:
        self.height = self.tops.update(self.pieces)[-1]

    def _refer(self, references: References) -> None:
        """New link definitions: pieces that may use them are stale, their heights a good guess."""
        self.references = references
        self._growing = None
        for piece in self.pieces:
            if piece.cut is not None and "[" in piece.cut.source:
                piece.rows, piece.measured = None, False

    def rows(self, index: int, paper: Paper) -> Sequence[Row]:
        """Render piece `index`, or take its rows as they are; sets its height."""
        piece = self.pieces[index]
        if piece.rows is None:
            rows = self._title(paper) if piece.cut is None else self._draw(piece, piece.cut, paper)
            self._set(piece, index, rows)
        assert piece.rows is not None
        piece.measured = True
        return piece.rows

    def _set(self, piece: Piece, index: int, rows: Sequence[Row]) -> None:
        piece.rows = many(rows)
        if len(rows) != piece.height:
            # Not summed up anew: there may be tens of thousands of pieces.
            self.height += len(rows) - piece.height
            piece.height = len(rows)
            self.tops.touch(index)

    @property
    def is_growing(self) -> bool:
        """Whether its open piece is followed row by row."""
        return self._growing is not None

    def grow(self, paper: Paper) -> None:
        """Lay out the open piece as far as it has come, if it is one that is followed row by row."""
        index = len(self.pieces) - 1
        if self.is_followed and index >= self._final and (cut := self.pieces[index].cut) and grows(cut):
            self.rows(index, paper)

    def _draw(self, piece: Piece, cut: Cut, paper: Paper) -> Sequence[Row]:
        """The rows of a piece; of a large one those that can be had at once, until a thread has made them."""
        later = paper.later
        if later is None or not is_large(cut) or (not cut.final and grows(cut)):
            return self._render(piece, cut, paper)
        piece.rough = True
        meanwhile = many(piece.meanwhile) if piece.meanwhile is not None else self._roughly(cut, paper)
        if not cut.final and cut.kind != "plain":
            return meanwhile  # It is drawn when it is complete.
        piece.meanwhile = None

        def done(rows: list[Row]) -> None:
            if piece.rows is meanwhile and piece in self.pieces:
                piece.rough = False
                self._set(piece, self.pieces.index(piece), rows)

        later(self, lambda: self._render(piece, cut, paper), done)
        return meanwhile

    def _roughly(self, cut: Cut, paper: Paper) -> RoughRows:
        palette = palette_of(self.block.kind, paper)
        width = min(paper.text_width, MEASURE)
        return RoughRows(cut, width, palette, lambda rows: self._finish(rows, paper))

    # -- drawing ------------------------------------------------------------------------------

    def _finish(self, rows: list[Row], paper: Paper) -> list[Row]:
        return finished(rows, self.block.kind, paper)

    def _render(self, piece: Piece, cut: Cut, paper: Paper) -> Sequence[Row]:
        rows: Sequence[Row] | None = None
        if not cut.final and grows(cut):
            rows = self._grow(cut, paper, palette_of(self.block.kind, paper))
            piece.rough = isinstance(rows, RoughRows) or _is_stale(self._growing)
            if rows is None and paper.later is not None and is_large(cut):
                rows = self._roughly(cut, paper)
        if isinstance(rows, RoughRows):
            return rows
        if rows is None:
            rows = piece_rows(cut, self.block.kind, paper, self.references)
        return [*rows, blank_row(paper)] if cut.gap and (rows or cut.kind == "plain") else rows

    def _title(self, paper: Paper) -> list[Row]:
        hidden = self._lines + (not self.text.endswith("\n")) if self.folded and self._size else 0
        rows = title_rows(self.block, self.text, hidden, paper)
        return [*rows, blank_row(paper)] if len(self.pieces) == 1 else rows

    def _grow(self, cut: Cut, paper: Paper, palette: Palette) -> Sequence[Row] | None:
        growing = self._growing
        if isinstance(growing, GrowingLater):
            return growing.meanwhile(cut)
        if growing is None or not isinstance(growing, _FOLLOWED_BY[cut.kind]):
            growing = self._growing = self._begin(cut, paper, palette)
        if paper.later is None:
            return self._grown(growing, cut)
        if is_large(cut, growing.rest(cut.source)):
            self._grow_later(growing, cut, paper, lambda cut: self._roughly(cut, paper))
            return self._roughly(cut, paper)
        rows = self._grown(growing, cut)
        if isinstance(growing, GrowingTable) and growing.stale:
            # With other columns; until then what comes is drawn in those that there are.
            anew = self._begin(cut, paper, palette)
            self._grow_later(anew, cut, paper, lambda cut: self._grown(growing, cut) or ())
        return rows

    def _begin(self, cut: Cut, paper: Paper, palette: Palette) -> _Growing:
        def finish(rows: list[Row]) -> list[Row]:
            return self._finish(rows, paper)

        width = paper.text_width
        if cut.kind == "fence":
            return GrowingFence(min(width, MEASURE), palette, finish)
        if cut.kind == "paragraph":
            return GrowingParagraph(min(width, MEASURE), palette, finish)
        return GrowingTable(width, palette, finish, keep=paper.later is not None)

    def _grown(self, growing: _Growing, cut: Cut) -> list[Row] | None:
        if isinstance(growing, GrowingFence):
            return growing.rows(cut.source)
        source = cut.source.rstrip("\n") if cut.kind == "paragraph" else cut.source
        return growing.rows(source, self.references)

    def _grow_later(
        self, growing: _Growing, cut: Cut, paper: Paper, meanwhile: Callable[[Cut], Sequence[Row]]
    ) -> None:
        """Have a thread lay out what there is of an open piece."""
        assert paper.later is not None
        waiting = self._growing = GrowingLater(meanwhile)

        def done(_: list[Row] | None) -> None:
            if self._growing is waiting:
                self._growing = growing
                self.pieces[self._final].rows = None

        paper.later(self, lambda: self._grown(growing, cut), done)

    def _end_growing(self, piece: Piece, cut: Cut, before: Piece, paper: Paper) -> None:
        """Take over what was followed and is complete now: a table is not read anew for its last rows."""
        palette = palette_of(self.block.kind, paper)
        rows = before.rows
        if cut.kind == "table" and isinstance(self._growing, GrowingTable):
            rows = self._grow(cut, paper, palette)
            if rows and not _is_stale(self._growing):
                piece.height, piece.measured = len(rows) + cut.gap, True
                piece.rows = many([*rows, blank_row(paper)] if cut.gap else rows)
                return
        piece.meanwhile = rows or None


_Growing = GrowingFence | GrowingParagraph | GrowingTable

_FOLLOWED_BY: Final[dict[str, type[_Growing]]] = {
    "fence": GrowingFence,
    "paragraph": GrowingParagraph,
    "table": GrowingTable,
}

_LINE: Final = 40
_SPLIT_AT_ONCE: Final = 24_000
"""Characters of a text, and `_LINE` more for each line, from which on it is split in a thread."""


def _targets(references: References) -> dict[str, object]:
    return {label: value.get("href") for label, value in references.items()}


def _is_stale(growing: object) -> bool:
    return isinstance(growing, GrowingLater) or (isinstance(growing, GrowingTable) and growing.stale)
