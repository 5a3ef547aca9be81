"""The text area inside the composer: it tells keys apart, and draws long pastes as one sign each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, ClassVar, Final, cast

from rich.text import Text
from textual import events
from textual.actions import SkipAction
from textual.app import App
from textual.binding import Binding, BindingType

from tui.core.drafts import is_long_paste
from tui.core.text import visible
from tui.messages import ClipboardWanted, FilesGiven
from tui.widgets.compositor import paint_changed
from tui.widgets.paste_marks import PasteMarks
from tui.widgets.pasted_paths import files_of_paste
from tui.widgets.safe_text_area import SafeTextArea

__all__ = ["ComposerInput", "Mention"]

Mention = tuple[tuple[int, int], tuple[int, int], str]
"""A file being named: where its `@` stands, where the cursor is, what is typed after the `@`."""

_MENTION: Final = re.compile(r"(?:^|(?<=[\s(\[{\"']))@([^\s@]*)$")


class ComposerInput(SafeTextArea):
    """The prompt's text area.

    Args:
        send_keys: Keys that send, in Textual's spelling.
        newline_keys: Keys that insert a line break.
        decide: Told what a key means, at once.
        fold: From how many lines and characters on a paste becomes a chip; 0 is never.

    Attributes:
        marks: The pastes that stand in the text.
        popup_open: Whether the keys that move in a list belong to one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # A text area pages through its own text; a prompt is short and the conversation is long.
        Binding("pageup", "screen.scroll_pane('page_up')", show=False, id="pane.page_up"),
        Binding("pagedown", "screen.scroll_pane('page_down')", show=False, id="pane.page_down"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"composer--paste"}
    DEFAULT_CSS = "ComposerInput > .composer--paste { color: $text-secondary; text-style: bold; }"

    def __init__(
        self,
        send_keys: frozenset[str],
        newline_keys: frozenset[str],
        decide: Callable[[str], None],
        fold: tuple[int, int] = (15, 2000),
    ) -> None:
        super().__init__(
            soft_wrap=True, tab_behavior="focus", show_line_numbers=False, highlight_cursor_line=False
        )
        self._send_keys = send_keys
        self._newline_keys = newline_keys
        # A call, not a message: a key typed right after Enter must not get into what is sent.
        self._decide = decide
        self._fold = fold
        self.marks = PasteMarks()
        self.popup_open = False

    # ---- keys

    def action_undo(self) -> None:
        """Undo; where there is nothing to undo, the key means what it means everywhere else."""
        if self.history.undo_stack:
            super().action_undo()
        else:
            cast("App[object]", cast("Any", self).app).action_suspend_process()

    async def _on_key(self, event: events.Key) -> None:
        await self._take_key(event)
        if self._more_is_typed:
            # It is painted with that, and others have their turn in between.
            await asyncio.sleep(0)
        else:
            # The usual way to the screen takes four turns of the event loop.
            paint_changed(self)

    @property
    def _more_is_typed(self) -> bool:
        """Whether another key waits; what the text area tells itself after each key waits as well."""
        waiting = cast("Any", self)._message_queue.values
        return any(isinstance(message, events.Key) for message in waiting)

    async def _take_key(self, event: events.Key) -> None:
        meaning = self._meaning(event)
        if meaning is None and event.key.startswith("alt+"):
            # It carries the letter as its character, which a text area would insert; bindings come later.
            event.prevent_default()
            return
        if meaning is None and event.character and self.marks.holds_marks(event.character):
            event.stop()
            event.prevent_default()
            self.put(event.character)
            return
        if meaning is None:
            # `enter` may be neither: then it inserts a line, as in any text area.
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        if meaning == "continue":
            row, column = self.cursor_location
            self.replace("\n", (row, column - 1), (row, column), maintain_selection_offset=False)
            self.scroll_cursor_visible()
        elif meaning == "newline":
            self.replace("\n", *self.selection, maintain_selection_offset=False)
            self.scroll_cursor_visible()
        else:
            self._decide(meaning)

    def _meaning(self, event: events.Key) -> str | None:
        key = event.key
        if self.popup_open and key in ("up", "down", "tab", "escape", "pageup", "pagedown"):
            return key
        if key in self._newline_keys:
            return "newline"
        if key in self._send_keys:
            return "continue" if key == "enter" and self._after_backslash else "send"
        if key == "up" and self.at_first_row and not self.selected_text:
            return "earlier"
        if key == "down" and self.at_last_row and not self.selected_text:
            return "later"
        return None

    @property
    def _after_backslash(self) -> bool:
        r"""Whether the cursor is after one `\`, as shells continue a line; after two it is meant."""
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        return self.selection.is_empty and before.endswith("\\") and not before.endswith("\\\\")

    @property
    def at_first_row(self) -> bool:
        """Whether the cursor is on the first row as wrapped."""
        return self.navigator.is_first_wrapped_line(self.cursor_location)

    @property
    def at_last_row(self) -> bool:
        """Whether the cursor is on the last row as wrapped."""
        return self.navigator.is_last_wrapped_line(self.cursor_location)

    @property
    def mention(self) -> Mention | None:
        """The file that is being named before the cursor, `@` and what follows; `None` for none."""
        row, column = self.cursor_location
        if not self.selection.is_empty:
            return None
        found = _MENTION.search(self.document.get_line(row)[:column])
        return None if found is None else ((row, column - len(found[1]) - 1), (row, column), found[1])

    # ---- pasting

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        # Awaited here, so that the keys that come after it stand after it.
        if paths := await files_of_paste(event.text):
            self.post_message(FilesGiven(paths))
        else:
            self.take_paste(event.text)

    def take_paste(self, text: str) -> None:
        """Take what was pasted: a long text as a chip, any other as text."""
        # A text area hands controls on to the terminal as they are; here they become symbols at the door.
        text = visible(text.replace("\r\n", "\n").replace("\r", "\n"))
        if is_long_paste(text, *self._fold):
            self.put_chip(text)
        else:
            self.put(text)

    def put(self, text: str) -> None:
        """Insert text at the cursor, or in the place of the selection."""
        self.replace(self.marks.guard(text), *self.selection, maintain_selection_offset=False)
        self.scroll_cursor_visible()

    def put_chip(self, text: str) -> None:
        """Insert text as a chip."""
        self.replace(self.marks.add(text), *self.selection, maintain_selection_offset=False)
        self.scroll_cursor_visible()

    def action_paste(self) -> None:
        """Ctrl+V arrived as a key: the terminal did not paste, so the system's clipboard is asked."""
        self.post_message(ClipboardWanted())

    def action_copy(self) -> None:
        """Copy the selection, pastes expanded."""
        if not self.selected_text:
            raise SkipAction
        cast("Any", self).app.copy_to_clipboard(self.marks.expand(self.selected_text))

    def action_cut(self) -> None:
        """Cut the selection or the line; what is copied has its pastes expanded."""
        if self.selection.is_empty:
            edit = self._delete_cursor_line()
        else:
            edit = self._delete_via_keyboard(*self.selection)
        if edit is not None:
            cast("Any", self).app.copy_to_clipboard(self.marks.expand(edit.replaced_text))

    # ---- marks

    def find_mark(self, mark: str) -> tuple[int, int] | None:
        """Where a mark stands, as row and column."""
        for row, line in enumerate(self.document.lines):
            if (column := line.find(mark)) >= 0:
                return row, column
        return None

    def replace_mark(self, mark: str, raw: str) -> None:
        """Put something else in the place of a mark; undo brings the mark back."""
        if (place := self.find_mark(mark)) is not None:
            self.replace(raw, place, (place[0], place[1] + 1), maintain_selection_offset=True)

    def mark_near_cursor(self) -> str | None:
        """The mark before or after the cursor, else the last one before it, else the first one."""
        row, column = self.cursor_location
        line = self.document.get_line(row)
        beside = [line[at] for at in (column - 1, column) if 0 <= at < len(line)]
        for char in beside:
            if self.marks.text_of(char) is not None:
                return char
        before = "\n".join([*self.document.lines[:row], line[:column]])
        earlier, every = self.marks.in_order(before), self.marks.in_order(self.text)
        return earlier[-1] if earlier else every[0] if every else None

    def get_line(self, line_index: int) -> Text:
        """A line as it is drawn: one sign in the place of each paste."""
        raw = self.document.get_line(line_index)
        text = Text(self.marks.sign(raw), end="", no_wrap=True)
        for place in self.marks.places(raw):
            text.stylize(self.get_component_rich_style("composer--paste", partial=True), place, place + 1)
        return text
