"""The keys of the conversation pane and what they do."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.messages import CommandRequested
from tui.widgets.transcript.flow import Anchor
from tui.widgets.transcript.trees import WithTrees

__all__ = ["PaneKeys"]


class PaneKeys(WithTrees):
    """A conversation that is read by keys; what they ask of others is said through hooks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "row(-1)", "Up", show=False, id="pane.line_up"),
        Binding("down,j", "row(1)", "Down", show=False, id="pane.line_down"),
        Binding("left,h", "char(-1)", "Left", show=False, id="pane.left"),
        Binding("right,l", "char(1)", "Right", show=False, id="pane.right"),
        Binding("ctrl+left,b", "word(-1)", "Word left", show=False, id="pane.word_left"),
        Binding("ctrl+right,w", "word(1)", "Word right", show=False, id="pane.word_right"),
        Binding("0", "edge(-1)", "Start of the row", show=False, id="pane.row_start"),
        Binding("dollar_sign", "edge(1)", "End of the row", show=False, id="pane.row_end"),
        Binding("shift+up,K", "row(-1,True)", "Select up", show=False, id="pane.select_up"),
        Binding("shift+down,J", "row(1,True)", "Select down", show=False, id="pane.select_down"),
        Binding("shift+left,H", "char(-1,True)", "Select left", show=False, id="pane.select_left"),
        Binding("shift+right,L", "char(1,True)", "Select right", show=False, id="pane.select_right"),
        Binding(
            "ctrl+shift+left,B", "word(-1,True)", "Select word left", show=False, id="pane.select_word_left"
        ),
        Binding(
            "ctrl+shift+right,W", "word(1,True)", "Select word right", show=False, id="pane.select_word_right"
        ),
        Binding(
            "shift+home",
            "edge(-1,True)",
            "Select to the start of the row",
            show=False,
            id="pane.select_start",
        ),
        Binding(
            "shift+end", "edge(1,True)", "Select to the end of the row", show=False, id="pane.select_end"
        ),
        Binding("v", "mark", "Select from here", show=False, id="pane.mark"),
        Binding("a", "select_block", "Select the block", show=False, id="pane.select_block"),
        Binding("pageup", "page_up", "Page up", show=False, id="pane.page_up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="pane.page_down"),
        Binding("home,g", "scroll_home", "Start", show=False, id="pane.first"),
        Binding("end,G", "scroll_end", "End", show=False, id="pane.last"),
        Binding(
            "left_square_bracket", "ask('turn.previous')", "Turn before", show=False, id="pane.turn_before"
        ),
        Binding("right_square_bracket", "ask('turn.next')", "Next turn", show=False, id="pane.turn_next"),
        Binding("enter", "act", "Open the link, or fold", show=False, id="pane.act"),
        Binding("space", "toggle_fold", "Fold", show=False, id="pane.fold"),
        Binding("y", "copy", "Copy what is selected, or the message", show=False, id="pane.copy"),
        Binding("c", "ask('copy.code')", "Copy the code block", show=False, id="pane.copy_code"),
        Binding("t", "ask('copy.table')", "Copy the table", show=False, id="pane.copy_table"),
        Binding("x", "ask('copy.value')", "Copy the value of JSON", show=False, id="pane.copy_value"),
        Binding("p", "ask('copy.path')", "Copy its path", show=False, id="pane.copy_path"),
        Binding("o", "link", "Next link; on a link, open it", show=False, id="pane.link"),
        Binding("i", "ask('turn.info')", "About this turn", show=False, id="pane.info"),
        Binding("e", "ask('turn.edit')", "Edit this prompt", show=False, id="pane.edit"),
        Binding("r", "ask('turn.regenerate')", "Answer this once more", show=False, id="pane.again"),
        Binding("f", "ask('turn.fork')", "Go on from this turn", show=False, id="pane.fork"),
        Binding(
            "less_than_sign", "ask('branch.previous')", "Branch before", show=False, id="pane.branch_before"
        ),
        Binding(
            "greater_than_sign", "ask('branch.next')", "Branch after", show=False, id="pane.branch_after"
        ),
        Binding("delete", "ask('branch.delete')", "Delete from this turn on", show=False, id="pane.delete"),
        Binding("slash", "ask('find.open')", "Find", show=False, id="pane.find"),
        Binding("n", "ask('find.next')", "Next hit", show=False, id="pane.find_next"),
        Binding("N", "ask('find.previous')", "Hit before", show=False, id="pane.find_previous"),
        Binding("escape", "leave", "Back to the composer", show=False, id="pane.leave"),
    ]

    # -- what the pane says to its parent ------------------------------------------------------

    def toggle_fold(self, block_id: str) -> None:
        """Fold or unfold a block."""
        raise NotImplementedError

    def link_asked(self, href: str) -> None:
        """The user wants to go where a link leads."""
        raise NotImplementedError

    def left(self) -> None:
        """The keys belong to the composer again."""
        raise NotImplementedError

    # -- keys ---------------------------------------------------------------------------------

    def action_row(self, by: int, extend: bool = False) -> None:
        """Move the cursor by a row."""
        self.move_rows(by, extend=extend)

    def action_char(self, by: int, extend: bool = False) -> None:
        """Move the cursor by a character."""
        self.move_chars(by, extend=extend)

    def action_word(self, by: int, extend: bool = False) -> None:
        """Move the cursor by a word."""
        self.move_words(by, extend=extend)

    def action_edge(self, side: int, extend: bool = False) -> None:
        """Move the cursor to a row's start or end."""
        self.move_to_edge(side, extend=extend)

    def action_ask(self, command_id: str) -> None:
        """Have the screen run a command, on what the cursor is in."""
        self.post_message(CommandRequested(command_id))

    def action_copy(self) -> None:
        """Copy what is selected, or the message that the cursor is in."""
        self.action_ask("copy.selection" if self.text_selection is not None else "copy.answer")

    def action_link(self) -> None:
        """Ask about the link under the cursor, or go to the next one."""
        if href := self.link_at_cursor:
            self.link_asked(href)
        else:
            self.go_to_link()

    def action_act(self) -> None:
        """Open the link under the cursor; elsewhere fold."""
        if href := self.link_at_cursor:
            self.link_asked(href)
        else:
            self.action_toggle_fold()

    def action_toggle_fold(self) -> None:
        """Fold or unfold the block with the cursor, else the last one in sight that shows a fold mark."""
        if self.fold_here():
            return
        view = self.cursor_view
        if view is None:
            marked = [
                view
                for line_id in {line_id >> 40 for line_id, _ in self._window}
                if (view := self._flow.views[self._flow.by_order(line_id)]).block.has_fold_mark
            ]
            view = max(marked, key=lambda view: view.order, default=None)
        if view is not None:
            self.toggle_fold(view.block.id)
            if self.has_focus:
                self.cursor_to(Anchor(view, 0, 0))

    def action_leave(self) -> None:
        """End the selection; without one, leave the pane."""
        if self._mark is not None or self.text_selection is not None:
            self._drop_selection()
        else:
            self.left()
