"""A block of JSON as the pane keeps it: a foldable tree that grows while the answer streams.

Each line of the tree is a piece of its own, so that a delta has only the last line rendered again, and a
fold takes pieces away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style

from tui.core.json_places import Step
from tui.core.structured.growing_tree import GrowingTree, TreeLine
from tui.core.text import visible, visible_line
from tui.widgets.transcript.block import Block
from tui.widgets.transcript.markdown import MEASURE
from tui.widgets.transcript.palette import Palette
from tui.widgets.transcript.piece import Cuts, Paper, Piece, guess_height
from tui.widgets.transcript.rows import Row, Span, indent
from tui.widgets.transcript.split import Cut, PlainSplitter
from tui.widgets.transcript.view import View
from tui.widgets.transcript.wrap import wrap

__all__ = ["TreeView", "view_of"]

_INDENT: Final = 2
_DEEPEST: Final = 12
"""Levels that are indented; deeper ones stand below each other."""


_LARGEST: Final = 200_000
"""Characters of JSON above which a finished answer is drawn as text: nobody folds ten thousand lines."""
_READ_AT_ONCE: Final = 10_000
"""Characters of JSON that are read at once; of more a tree is made in a thread."""


def view_of(block: Block, order: int) -> View:
    """The view for a block."""
    return TreeView(block, order) if block.json and len(block.text) <= _LARGEST else View(block, order)


class LineCut(Cut):
    """A line of the tree as a piece: `source` is what is drawn of it, for search."""

    __slots__ = ("index", "line", "problems")

    def __init__(self, index: int, line: TreeLine, problems: tuple[str, ...]) -> None:
        self.index = index
        self.line = line
        self.problems = problems
        super().__init__(_words(line) + "".join(f"\n{problem}" for problem in problems), "json", final=True)
        self.gap = False


class TreeView(View):
    """One block of JSON in the pane."""

    def __init__(self, block: Block, order: int) -> None:
        super().__init__(block, order)
        self._tree = GrowingTree()
        self._read = 0
        self._live = False
        self._closed: set[int] = set()
        self._shown: dict[int, Piece] = {}
        self._gapped: Piece | None = None
        self._gapped_at = 0

    # -- the tree ------------------------------------------------------------------------------

    def line_of(self, piece: int) -> tuple[int, TreeLine] | None:
        """The line that a piece draws, with its index; `None` for the title."""
        cut = self.pieces[piece].cut if 0 <= piece < len(self.pieces) else None
        return (cut.index, cut.line) if isinstance(cut, LineCut) else None

    @property
    def lines(self) -> list[TreeLine]:
        """The lines of the tree, folded ones too."""
        return self._tree.lines

    def is_closed(self, index: int) -> bool:
        """Whether a line's members are folded away."""
        return index in self._closed

    def toggle(self, index: int, paper: Paper | None) -> None:
        """Fold or unfold the object or array whose line this is."""
        self._closed ^= {index}
        self._again(paper)

    def open_all(self, paper: Paper | None) -> None:
        """Unfold everything."""
        if self._closed:
            self._closed.clear()
            self._again(paper)

    def piece_of(self, index: int) -> int:
        """The piece that draws a line, or the folded one that it is in."""
        best = 0
        for number, piece in enumerate(self.pieces):
            if isinstance(piece.cut, LineCut) and piece.cut.index <= index:
                best = number
        return best

    def _again(self, paper: Paper | None) -> None:
        self._shown.clear()
        if paper is None or self.folded:
            self.pieces = []
        else:
            self.split(paper, live=self._live)

    def _read_on(self, *, live: bool) -> None:
        """Bring the tree up to the text."""
        text = self.text
        if self._read > len(text):
            self._tree, self._read = GrowingTree(), 0
            self._closed.clear()
        if self._read < len(text):
            self._tree.feed(text[self._read :])
            self._read = len(text)
        if not live:
            self._tree.finish()

    # -- what a view does ------------------------------------------------------------------------

    def feed(self, delta: str, paper: Paper | None) -> None:
        """Add streamed text."""
        self._parts.append(delta)
        self._lines += delta.count("\n")
        self._size += len(delta)
        self._live = True
        if paper is None:
            return
        if self.folded or not self.pieces or self._unsplit is not None:
            self._unsplit = None
            self.guess(paper) if self.folded else self.split(paper)
            return
        count = len(self._tree.lines)
        self._tree.feed(delta)
        self._read += len(delta)
        lines = self._tree.lines
        for index in sorted(self._tree.changed):
            piece = self._shown.get(index)
            if piece is not None:
                self._change(piece, LineCut(index, lines[index], self._said(index)), paper)
        if self._hides(count - 1):
            self._again(paper)
            return
        for index in range(count, len(lines)):
            self._add(index, paper)
        self._head_gap(paper)
        self._last_gap()
        self._sum()

    def close(self, text: str | None, paper: Paper | None, cuts: Cuts | None = None) -> None:
        """End the stream."""
        if text is not None and text != self.text:
            self._parts, self._lines, self._size = [text], text.count("\n"), len(text)
            self._tree, self._read = GrowingTree(), 0
        self._live = False
        self.pieces = []
        self._shown.clear()
        if paper is not None:
            if self.folded:
                self.guess(paper)
            else:
                self.split(paper, live=False)

    def replace(self, block: Block, paper: Paper | None) -> None:
        """Take a new state of the block."""
        if block.text != self.text:
            self._tree, self._read = GrowingTree(), 0
        if block.problems != self.block.problems:
            # What is wrong must be in sight.
            self._closed.clear()
            self.reset()
        super().replace(block, paper)

    def reset(self) -> None:
        """Forget all pieces."""
        super().reset()
        self._shown.clear()

    def guess(self, paper: Paper) -> None:
        """Guess the height from the text's size alone."""
        self.pieces = []
        self._shown.clear()
        self.tops.touch(0)
        self.height = 1 + bool(self._has_title())
        if self._size and not self.folded:
            if self._live:
                self.split(paper)
            else:
                self.height += max(self.text.count('":'), self._size // (paper.text_width + 1)) + 1

    def split(self, paper: Paper, *, live: bool = True, cuts: Cuts | None = None) -> None:
        """Make a piece of each line that is in sight."""
        live = live and self._live
        self.pieces = []
        self._shown.clear()
        self.tops.touch(0)
        if self._has_title():
            self.pieces.append(Piece(None, 1))
        if not self.folded and not live and self._read_later(paper):
            text = visible(self.text)
            splitter = PlainSplitter()
            cuts_now = [*splitter.append(text), *splitter.open]
            self.pieces += [Piece(cut, guess_height(cut, paper)) for cut in cuts_now]
        elif not self.folded:
            self._read_on(live=live)
            index, lines = 0, self._tree.lines
            while index < len(lines):
                self._add(index, paper)
                closed = index in self._closed and lines[index].folds
                end = lines[index].end if lines[index].end >= 0 else len(lines)
                index = end if closed else index + 1
        self._head_gap(paper)
        self._last_gap()
        self._sum()

    def _read_later(self, paper: Paper) -> bool:
        """Have a large tree made in a thread; until then the text is drawn as it is."""
        text = self.text
        if paper.later is None or 0 <= len(text) - self._read < _READ_AT_ONCE:
            return False
        mark = self._unsplit = object()

        def work() -> GrowingTree:
            tree = GrowingTree()
            tree.feed(text)
            tree.finish()
            return tree

        def done(tree: GrowingTree) -> None:
            if self._unsplit is mark and not self._live:
                self._unsplit = None
                self._tree, self._read = tree, len(text)
                self.split(paper, live=False)

        paper.later(self, work, done)
        return True

    def _hides(self, index: int) -> bool:
        """Whether what comes after a line would come into something folded."""
        path = self._tree.lines[index].path if 0 <= index < len(self._tree.lines) else ()
        return any(
            self._tree.lines[closed].path == path[: len(self._tree.lines[closed].path)]
            and self._tree.lines[closed].end < 0
            for closed in self._closed
        )

    def _add(self, index: int, paper: Paper) -> None:
        cut = LineCut(index, self._tree.lines[index], self._said(index))
        piece = Piece(cut, 1 + len(cut.source) // (paper.text_width + 1) + len(cut.problems))
        self._shown[index] = piece
        self.tops.touch(len(self.pieces))
        self.pieces.append(piece)

    def _change(self, piece: Piece, cut: LineCut, paper: Paper) -> None:
        cut.gap = piece.cut is not None and piece.cut.gap
        piece.cut, piece.rows = cut, None
        rows = self._draw(piece, cut, paper)
        if len(rows) != piece.height:
            piece.height = len(rows)
            self.tops.touch(0)
        piece.rows = rows

    def _last_gap(self) -> None:
        """A blank row after the last line alone."""
        last = self.pieces[-1] if self.pieces else None
        for piece in (self._gapped, last):
            if piece is not None and isinstance(piece.cut, LineCut) and piece.cut.gap != (piece is last):
                piece.cut.gap = piece is last
                piece.rows = None
                piece.height += 1 if piece is last else -1
                self.tops.touch(min(self._gapped_at, len(self.pieces) - 1))
        self._gapped, self._gapped_at = last, max(0, len(self.pieces) - 1)

    def _said(self, index: int) -> tuple[str, ...]:
        """What is wrong with a line's value."""
        if not self.block.problems:
            return ()
        path = self._tree.lines[index].path
        there: set[tuple[Step, ...]] = {line.path for line in self._tree.lines} if not index else set()
        # What names a place that is not in the tree is said at its root.
        return tuple(
            visible_line(problem.text if problem.path == path else str(problem))
            for problem in self.block.problems
            if problem.path == path or (not index and problem.path not in there)
        )

    # -- drawing ---------------------------------------------------------------------------------

    def _render(self, piece: Piece, cut: Cut, paper: Paper) -> Sequence[Row]:
        if not isinstance(cut, LineCut):
            return super()._render(piece, cut, paper)
        palette, line = paper.palette, cut.line
        depth = min(line.depth, _DEEPEST) * _INDENT
        hang = Segment(" " * (depth + _INDENT), palette.text)
        width = max(8, min(paper.text_width, MEASURE) - depth - _INDENT)
        rows = wrap(self._spans(cut, palette), width)
        indent(rows, self._mark(cut, depth, palette), hang, copied=False)
        for problem in cut.problems:
            said = wrap([(f"✕ {problem}", palette.error)], width)
            indent(said, hang, hang, copied=False)
            rows += said
        self._finish(rows, paper)
        if cut.gap:
            rows.append(Row([Segment(" " * paper.width, palette.text)], skip=0, end=0))
        return rows

    def _mark(self, cut: LineCut, depth: int, palette: Palette) -> Segment:
        if not cut.line.folds:
            return Segment(" " * (depth + _INDENT), palette.text)
        style = palette.marker + Style.from_meta({"node": cut.index, "tree": self.block.id})
        mark = "▸ " if cut.index in self._closed else "▾ "
        return Segment(" " * depth + mark, style)

    def _spans(self, cut: LineCut, palette: Palette) -> list[Span]:
        line = cut.line
        spans: list[Span] = []
        fold = Style.from_meta({"node": cut.index, "tree": self.block.id}) if line.folds else Style.null()
        if line.path:
            spans += [(_key(line), _ink(palette.code_name) + _ground(palette) + fold)]
            spans += [(": " if line.kind not in ("object", "array") else "  ", palette.muted + fold)]
        if line.kind in ("object", "array"):
            spans.append((_count(line), palette.muted + fold))
            return spans
        ink = {
            "string": palette.code_string,
            "number": palette.code_number,
            "word": palette.code_keyword,
        }.get(line.kind, palette.text)
        spans.append((_scalar(line), _ground(palette) + _ink(ink)))
        return spans


def _ground(palette: Palette) -> Style:
    """The background of prose: values stand on it, and not in a code's panel."""
    return Style(bgcolor=palette.text.bgcolor)


def _ink(style: Style) -> Style:
    return Style(color=style.color, bold=style.bold, italic=style.italic)


def _key(line: TreeLine) -> str:
    step = line.path[-1]
    return visible_line(step) if isinstance(step, str) else f"[{step}]"


def _scalar(line: TreeLine) -> str:
    # What is no JSON keeps its lines; a text of JSON has none.
    return visible(line.text) if line.kind == "text" else visible_line(line.text)


def _count(line: TreeLine) -> str:
    if not line.count:
        empty = "{}" if line.kind == "object" else "[]"
        return empty if line.closed else "…"
    word = "field" if line.kind == "object" else "item"
    return f"{line.count:,} {word}{'s' * (line.count != 1)}"


def _words(line: TreeLine) -> str:
    value = _count(line) if line.kind in ("object", "array") else _scalar(line)
    return f"{_key(line)}: {value}" if line.path else value
