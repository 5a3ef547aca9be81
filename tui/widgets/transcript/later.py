"""Blocks that are made when they come near the viewport: the turns of a long conversation."""

from __future__ import annotations

from typing import Final, Protocol

from tui.widgets.transcript.block import Block, BlockKind
from tui.widgets.transcript.piece import Paper, Piece, Tops
from tui.widgets.transcript.view import View

__all__ = ["Later", "LaterView"]

_NO_PIECES: Final[list[Piece]] = []
_NO_TOPS: Final = Tops()


class Later(Protocol):
    """The blocks of one group, which begin with a prompt, before they are made."""

    @property
    def group(self) -> str:
        """The group of all its blocks; the first one's id is this and `:user`."""
        ...

    @property
    def size(self) -> int:
        """About how many characters they have."""
        ...

    @property
    def lines(self) -> int:
        """About how many line ends are in them."""
        ...

    def blocks(self) -> list[Block]:
        """Make them."""
        ...

    def may_hold(self, word: str) -> bool:
        """Whether this word can be in them: lower case, without markdown's marks."""
        ...


class LaterView(View):
    """Stands in the flow where the views of a group will be; has a guessed height and nothing to draw."""

    __slots__ = ("source",)

    def __init__(self, source: Later, order: int) -> None:
        # Not `super`: of what a view keeps, this one needs no more.
        self.source = source
        self.order = order
        self.index = 0
        self.height = 0
        self.pieces = _NO_PIECES
        self.tops = _NO_TOPS

    @property
    def block(self) -> Block:
        """A stand-in for the first block."""
        return Block(f"{self.source.group}:user", BlockKind.USER, "")

    @block.setter
    def block(self, block: Block) -> None:
        raise AttributeError("its blocks are not made yet")

    @property
    def text(self) -> str:
        """The texts of all blocks."""
        return "\n\n".join(block.text for block in self.source.blocks())

    @property
    def size(self) -> int:
        """About how many characters there are."""
        return self.source.size

    def guess(self, paper: Paper) -> None:
        """Guess the height: two blocks with titles and a blank row each."""
        self.height = 6 + self.source.lines + self.source.size // (paper.text_width + 1)
