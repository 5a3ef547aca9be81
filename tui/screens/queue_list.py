"""The prompts that wait, to be read, changed, put in another order or taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, Protocol, cast

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui.core.text import visible, visible_line
from tui.screens.base import ModalScreen
from tui.screens.queue import Queued
from tui.widgets.columns import Cell, Column, TableTitles, layout, table_row, titles_row
from tui.widgets.dialog import Dialog
from tui.widgets.rows import Row
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["QueueHost", "QueueScreen"]

_COLUMNS: Final = (
    Column("number", "", 2, 2, 0, right=True),
    Column("text", "prompt", 24, 120, 0),
    Column("files", "files", 8, 10, 1, right=True),
)


class QueueHost(Protocol):
    """Who has the queue; it may be shorter at the next look, as answers end."""

    def queued(self) -> Sequence[Queued]:
        """The prompts that wait, next first."""
        ...

    def requeue(self, prompts: Sequence[Queued]) -> None:
        """Let these wait instead."""
        ...

    def take_back(self, prompt: Queued) -> None:
        """Return a prompt to the composer."""
        ...


class _Table:
    def __init__(self, prompts: Sequence[Queued]) -> None:
        self.prompts = tuple(prompts)

    def __len__(self) -> int:
        return len(self.prompts)

    def titles(self, width: int) -> Row:
        return titles_row(_COLUMNS, width)

    def row(self, index: int, width: int) -> Row:
        queued = self.prompts[index]
        count = len(queued.attachments)
        cells: dict[str, Cell] = {
            "number": (str(index + 1), "dim"),
            "text": (" ".join(queued.text.split()) or "no text", None if queued.text else "dim"),
            "files": (f"{count} file{'s' if count != 1 else ''}" if count else "", "number"),
        }
        return table_row(layout(_COLUMNS, width), cells)


class QueueScreen(ModalScreen[None]):
    """Works on the queue of its host, which goes on meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", show=False, id="dialog.close"),
        Binding("enter,e", "edit", "Edit", show=False, priority=True, id="queue.edit"),
        Binding("t,backspace", "take_back", "Take back", show=False, id="queue.take_back"),
        Binding("delete,d", "remove", "Remove", show=False, id="queue.remove"),
        Binding("shift+up,K", "shift(-1)", "Earlier", show=False, id="queue.earlier"),
        Binding("shift+down,J", "shift(1)", "Later", show=False, id="queue.later"),
    ]
    DEFAULT_CSS = """
    QueueScreen {
        align: center middle;
        & Dialog { max-width: 110; max-height: 24; }
        & #queue-text { height: auto; max-height: 6; padding: 0 1; border-top: solid $panel; }
        & #queue-empty { display: none; }
        &.-empty #queue-empty { display: block; }
        &.-empty VirtualLines, &.-empty TableTitles, &.-empty #queue-text { display: none; }
    }
    """

    def __init__(self, host: QueueHost) -> None:
        super().__init__()
        self._host = host
        self._table = _Table(())
        self._list = VirtualLines(cursor=True, id="queue-list", classes="-active")

    def compose(self) -> ComposeResult:
        """The list, and the prompt under the cursor in full."""
        yield Dialog(
            TableTitles(self._table.titles),
            self._list,
            Static(
                Content("Nothing is queued. What is sent while an answer arrives waits here for its end."),
                id="queue-empty",
                classes="dialog--empty",
                markup=False,
            ),
            Static("", id="queue-text", markup=False),
            title="Queued prompts",
            keys="Enter edit   T take back   Del remove   ⇧↑ ⇧↓ reorder   Esc close",
        )

    def on_mount(self) -> None:
        """The next one is under the cursor."""
        self.look_again()
        self._list.focus()

    def look_again(self, cursor: int | None = None) -> None:
        """Show the queue as it is now; the cursor stays on its prompt where that still waits."""
        if cursor is None:
            present, held = self._host.queued(), self._highlighted
            cursor = next((index for index, queued in enumerate(present) if queued is held), 0)
        self._table = _Table(self._host.queued())
        self._list.show(self._table, cursor=cursor)
        self.set_class(not len(self._table), "-empty")
        self._say()

    @property
    def _highlighted(self) -> Queued | None:
        index = self._list.cursor
        return None if index is None or index >= len(self._table) else self._table.prompts[index]

    def _say(self) -> None:
        queued = self._highlighted
        if queued is not None:
            files = ", ".join(visible_line(file.name) for file in queued.attachments)
            text = visible(queued.text.strip()) or "No text."
            shown = [Content(text), *([Content.styled(files, "$text-muted")] if files else [])]
            self.query_one("#queue-text", Static).update(Content("\n").join(shown))

    def on_virtual_lines_highlighted(self, event: VirtualLines.Highlighted) -> None:
        """Show the prompt under the cursor."""
        event.stop()
        self._say()

    def on_virtual_lines_chosen(self, event: VirtualLines.Chosen) -> None:
        """A click only looks."""
        event.stop()

    def _change(self, make: Callable[[list[Queued], int], int]) -> None:
        """Change the queue at the prompt under the cursor, if that still waits."""
        held, prompts = self._highlighted, list(self._host.queued())
        index = next((index for index, queued in enumerate(prompts) if queued is held), None)
        if index is None:
            self.look_again()
            return
        cursor = make(prompts, index)
        self._host.requeue(prompts)
        self.look_again(cursor)

    def action_remove(self) -> None:
        """Let the prompt under the cursor never be sent; the composer's Up has it still."""

        def remove(prompts: list[Queued], index: int) -> int:
            del prompts[index]
            return index

        self._change(remove)

    def action_shift(self, step: int) -> None:
        """Let the prompt under the cursor change places with its neighbour."""

        def shift(prompts: list[Queued], index: int) -> int:
            there = max(0, min(index + step, len(prompts) - 1))
            prompts.insert(there, prompts.pop(index))
            return there

        self._change(shift)

    def action_take_back(self) -> None:
        """Return the prompt under the cursor to the composer, and close."""
        held = self._highlighted
        self.action_remove()
        if held is not None:
            self._host.take_back(held)
            self.dismiss()

    def action_edit(self) -> None:
        """Change the prompt under the cursor where it waits."""
        from tui.screens.paste import PasteChange, PasteScreen

        held = self._highlighted
        if held is None:
            return

        def changed(change: PasteChange | None) -> None:
            prompts = list(self._host.queued())
            index = next((index for index, queued in enumerate(prompts) if queued is held), None)
            if change is None:
                return
            if index is None:
                app = cast("App[object]", cast("Any", self).app)
                app.notify("It was sent meanwhile, as it was.", severity="warning", markup=False)
            elif change.text.strip() or held.attachments:
                prompts[index] = Queued.of_draft(held.draft.edited(change.text).stripped())
                self._host.requeue(prompts)
            else:
                del prompts[index]
                self._host.requeue(prompts)
            self.look_again(index)

        app = cast("App[object]", cast("Any", self).app)
        app.push_screen(PasteScreen(visible(held.text), title="Queued prompt", chip=False), changed)

    def action_close(self) -> None:
        """Back to the prompt."""
        self.dismiss()
