"""Structured answers under the cursor: folding what is in them, and what is taken out of them."""

from __future__ import annotations

import json
from typing import cast

from tui.core.json_places import path_text, place_of
from tui.core.structured.growing_tree import TreeLine
from tui.widgets.transcript.flow import Anchor
from tui.widgets.transcript.taking import Taking
from tui.widgets.transcript.tree_view import TreeView
from tui.widgets.transcript.view import View

__all__ = ["WithTrees"]


class WithTrees(Taking):
    """A canvas that knows the trees of structured answers."""

    @property
    def tree_at_cursor(self) -> tuple[TreeView, int, TreeLine] | None:
        """The tree, the index of the line and the line that the cursor is in."""
        anchor = self.cursor_anchor
        if anchor is None or not isinstance(anchor.view, TreeView):
            return None
        found = anchor.view.line_of(anchor.piece)
        return None if found is None else (anchor.view, *found)

    def toggle_node(self, view: View, index: int) -> None:
        """Fold or unfold an object or array of a structured answer."""
        if not isinstance(view, TreeView):
            return
        came = self._came()
        self._drop_selection()
        view.toggle(index, self._flow.paper)
        self._flow.touch(view)
        self._leave_at(came)
        self.following = False
        self._settle()
        if self.has_focus:
            self.cursor_to(Anchor(view, view.piece_of(index), 0))
        self.following = self._ends_here()

    def fold_here(self) -> bool:
        """Fold or unfold the object or array under the cursor, or that a value is in; False for none."""
        found = self.tree_at_cursor
        if found is None:
            return False
        view, index, line = found
        while not line.folds:
            inside = [at for at in range(index) if view.lines[at].path == line.path[:-1]]
            if not line.path or not inside:
                return False
            index = inside[-1]
            line = view.lines[index]
        self.toggle_node(view, index)
        return True

    def unfold_inside(self, view: View) -> None:
        """Show all of a tree."""
        if isinstance(view, TreeView):
            view.open_all(self._flow.paper)
            self._flow.touch(view)

    @property
    def path_here(self) -> str:
        """The path of the value under the cursor, `$.order.id`; empty where there is none."""
        found = self.tree_at_cursor
        return "" if found is None else path_text(found[2].path)

    @property
    def value_here(self) -> str:
        """The value under the cursor: a text without its quotes, anything else as JSON; empty for none."""
        found = self.tree_at_cursor
        if found is None:
            return ""
        view, _, line = found
        raw = line.text
        if line.kind in ("object", "array"):
            try:
                place = place_of(view.text, line.path)
                raw = "" if place is None else view.text[place.start : place.end]
                return json.dumps(json.loads(raw), ensure_ascii=False, indent=2)
            except ValueError:
                return raw  # It has not all come.
        if line.kind != "string":
            return raw
        try:
            return cast("str", json.loads(raw, strict=False))
        except ValueError:
            return raw.removeprefix('"')

    def trees_of(self, group: str) -> list[TreeView]:
        """The structured answers among a turn's blocks."""
        self._flow.make_group(group)
        return [view for view in self._flow.views if view.block.group == group and isinstance(view, TreeView)]
