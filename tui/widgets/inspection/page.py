"""The inspector's page: rows to read, a tree to fold, words to find in either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.core.garbage import collector_paused
from tui.widgets.inspection.found import Hit, PageRows, PlainRows
from tui.widgets.inspection.json_node import Node
from tui.widgets.inspection.json_tree import JsonTree
from tui.widgets.rows import RowList
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["PageLines"]

_MOST_HITS: Final = 10_000
_MANY: Final = 2_000
"""Values of an array or object from which it is unfolded in a thread."""
_Fold = Callable[[JsonTree], int]


def _without_collecting(change: _Fold, tree: JsonTree) -> int:
    with collector_paused():
        return change(tree)


class PageLines(VirtualLines):
    """Shows `PageRows`; those of a `JsonTree` with a cursor, to fold them and to take a value.

    Attributes:
        words: What is looked for, as it was typed; empty for nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "fold", "Fold or unfold", show=False, id="inspector.fold"),
        Binding("right,l", "unfold", "Unfold", show=False, id="inspector.unfold"),
        Binding("left", "outwards", "Fold, or go outwards", show=False, id="inspector.outwards"),
        Binding("plus,equals_sign", "fold_all(False)", "Unfold all", show=False, id="inspector.unfold_all"),
        Binding("minus", "fold_all(True)", "Fold all", show=False, id="inspector.fold_all"),
    ]

    class Looked(Message):
        """Words were looked for, or another hit was gone to.

        Attributes:
            place: Which hit this is, counted from 1; 0 for none.
            total: How many there are.
            done: Whether these are all.
        """

        def __init__(self, place: int, total: int, done: bool) -> None:
            super().__init__()
            self.place = place
            self.total = total
            self.done = done

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.words = ""
        self._rows: PageRows = PlainRows(RowList())
        self._hits: list[Hit] = []
        self._hit = -1
        self._unfolds = False  # in a thread, which changes the rows

    @property
    def rows(self) -> PageRows:
        """What is shown."""
        return self._rows

    @property
    def node(self) -> Node | None:
        """The value under the cursor of a tree."""
        return self._rows.node_at(self._cursor) if isinstance(self._rows, JsonTree) else None

    def show_rows(self, rows: PageRows, *, fresh: bool) -> None:
        """Show other rows, from their beginning when they are fresh."""
        self._rows = rows
        self._with_cursor = isinstance(rows, JsonTree) and rows.root is not None
        self.set_class(self._with_cursor, "-tree")
        rows.words = self._folded
        if fresh:
            self.show(rows)
        else:
            self.replace(rows)
        if self.words:
            self.look_for(self.words)

    @property
    def allow_select(self) -> bool:
        """Text can be selected with the mouse, in a tree as well."""
        return True

    # Folding.

    def action_fold(self) -> None:
        """Open or close the value under the cursor."""
        node = self.node
        self._change(lambda tree: tree.fold(self._cursor), opens=node is not None and not node.open)

    def action_unfold(self) -> None:
        """Open the value under the cursor; where there is none, the key is the inspector's."""
        if self.node is None:
            raise SkipAction
        self._change(lambda tree: tree.fold(self._cursor, True), opens=not self.node.open)

    def action_outwards(self) -> None:
        """Close the value under the cursor, or go to what it is in."""
        node = self.node
        if node is None or not isinstance(self._rows, JsonTree):
            raise SkipAction
        if node.open and self._rows.can_fold(node):
            self._change(lambda tree: tree.fold(self._cursor, False))
        else:
            self.move_cursor(self._rows.parent_of(self._cursor))

    def action_fold_all(self, closed: bool) -> None:
        """Close, or open, the value under the cursor with all that is in it."""
        self._change(lambda tree: tree.fold_all(self._cursor, not closed), opens=not closed)

    def _change(self, change: _Fold, *, opens: bool = False) -> None:
        tree, node = self._rows, self.node
        if not isinstance(tree, JsonTree):
            raise SkipAction
        if self._unfolds:
            return
        if opens and node is not None and node.count > _MANY:
            self._unfolds = True
            self.run_worker(partial(self._unfold, tree, change), name="unfold", group="inspector-unfold")
        else:
            self._changed(change(tree))

    async def _unfold(self, tree: JsonTree, change: _Fold) -> None:
        """Open what has many values in it, which are read then: rows come, and none that is shown goes."""
        try:
            at = await asyncio.to_thread(_without_collecting, change, tree)
        finally:
            self._unfolds = False
        if tree is self._rows:
            self._changed(at)

    def _changed(self, at: int) -> None:
        self._measure()
        if at != self._cursor:
            self.move_cursor(at)
        self.refresh()

        self.run_worker(self.count_data, name="digests", group="inspector-digests", exclusive=True)

    async def count_data(self) -> None:
        """Find the digests of the files in what is unfolded; a large one takes its time."""
        rows = self._rows
        if isinstance(rows, JsonTree) and await asyncio.to_thread(rows.count_data) and rows is self._rows:
            rows.lay_out_again()
            self.grown()

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there; on the sign of a fold, or the second of two, it folds."""
        event.prevent_default()
        index = self._index_at(event)
        offset = event.get_content_offset(self)
        if index is None or offset is None:
            return
        event.stop()
        self.move_cursor(index)
        text = self._rows.plain_row(index, self.scrollable_content_region.width).text
        if event.chain == 2 or text[offset.x : offset.x + 1] in ("▸", "▾"):
            self.action_fold()

    # Finding.

    @property
    def _folded(self) -> str:
        return self.words.strip().casefold()

    def look_for(self, words: str) -> None:
        """Look for words; `Looked` says what came of it."""
        self.words = words
        self._rows.words = self._folded
        self._hits, self._hit = [], -1
        self.refresh()
        if self._folded:
            self.run_worker(
                partial(self._look, self._rows, self._folded),
                group="inspector-find",
                exclusive=True,
                name="find",
            )
        else:
            self.post_message(self.Looked(0, 0, True))

    async def _look(self, rows: PageRows, words: str) -> None:
        hits = await asyncio.to_thread(rows.search, words, _MOST_HITS)
        if rows is self._rows and words == self._folded:
            self._hits = hits
            self.go_to_hit(1)

    def go_to_hit(self, by: int) -> None:
        """Go to another hit and show it."""
        if self._unfolds:
            return
        if not self._hits:
            self.post_message(self.Looked(0, 0, True))
            return
        self._hit = 0 if self._hit < 0 else (self._hit + by) % len(self._hits)
        index = self._rows.reveal(self._hits[self._hit])
        self._measure()
        if self._with_cursor:
            self.move_cursor(index)
        else:
            middle = index - self.scrollable_content_region.height // 2
            self.scroll_to(y=max(0, middle), animate=False)
        self.refresh()
        self.post_message(self.Looked(self._hit + 1, len(self._hits), len(self._hits) < _MOST_HITS))
