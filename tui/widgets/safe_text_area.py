"""Textual's text area without a fault of it that ends the program."""

from __future__ import annotations

from textual.widgets import TextArea

__all__ = ["SafeTextArea"]


class SafeTextArea(TextArea):
    """A text area in which a long insertion can be undone.

    Textual 8.2.8 looks for the cursor in the middle of an undo when the scrollbar goes away, and raises where
    the cursor's line is no longer there. The cursor is moved a moment later, and looked for again.
    """

    def _recompute_cursor_offset(self) -> None:
        if self.cursor_location[0] < self.document.line_count:
            super()._recompute_cursor_offset()
