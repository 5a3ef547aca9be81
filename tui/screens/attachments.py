"""The files that go with the next prompt: what each is, what it adds now and to every later turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui.core.attachments import Attachment, later_turns
from tui.core.items import ContinuationMode
from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.widgets.attachment_chips import extent_words, size_words
from tui.widgets.columns import Cell, Column, TableTitles, layout, table_row, titles_row
from tui.widgets.dialog import Dialog
from tui.widgets.rows import Row
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["AttachmentTable", "AttachmentsScreen", "later_words"]

_COLUMNS: Final = (
    Column("number", "", 2, 2, 0, right=True),
    Column("name", "file", 20, 60, 0),
    Column("extent", "extent", 13, 14, 2, right=True),
    Column("size", "size", 7, 8, 1, right=True),
    Column("tokens", "tokens", 9, 9, 0, right=True),
)


def later_words(files: Sequence[Attachment], mode: ContinuationMode) -> list[tuple[str, bool]]:
    """What files add to each later turn, a line for each mode, and whether it is the mode in force."""
    later = later_turns(files)
    tokens = f"~{later.tokens:,} input tokens"
    return [
        (f"stateful    nothing is sent again; {tokens} all the same", mode == "stateful"),
        (f"stateless   {size_words(later.stateless_bytes)} again; {tokens}", mode == "stateless"),
    ]


class AttachmentTable:
    """Attachments as rows."""

    def __init__(self, files: Sequence[Attachment]) -> None:
        self.files = tuple(files)

    def __len__(self) -> int:
        """How many files."""
        return len(self.files)

    def titles(self, width: int) -> Row:
        """The line above the columns."""
        return titles_row(_COLUMNS, width)

    def row(self, index: int, width: int) -> Row:
        """The file at `index`."""
        file = self.files[index]
        cells: dict[str, Cell] = {
            "number": (str(index + 1), "dim"),
            "name": (file.name, None),
            "extent": (extent_words(file), "warning" if file.doubt else "dim"),
            "size": (size_words(file.size), "number"),
            "tokens": (f"~{file.estimated_tokens:,}", "number"),
        }
        return table_row(layout(_COLUMNS, width), cells)


class AttachmentsScreen(ModalScreen[bool]):
    """Changes the attachments as it is used; gives whether more are to be chosen.

    Args (of the constructor):
        files: What is attached.
        change: Told of every change at once.
        mode: The continuation mode in force.
        index: The file that is looked at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", show=False, id="dialog.close"),
        Binding("a,insert,enter", "add", "Add files", show=False, priority=True, id="attachments.add"),
        Binding("delete,backspace,d", "remove", "Remove", show=False, id="attachments.remove"),
        Binding("shift+up,K", "shift(-1)", "Move up", show=False, id="attachments.earlier"),
        Binding("shift+down,J", "shift(1)", "Move down", show=False, id="attachments.later"),
    ]
    DEFAULT_CSS = """
    AttachmentsScreen {
        align: center middle;
        & Dialog { max-width: 100; max-height: 26; }
        & #attachments-more { height: auto; padding: 0 1; border-top: solid $panel; }
        & #attachments-empty { display: none; }
        &.-empty #attachments-empty { display: block; }
        &.-empty VirtualLines, &.-empty TableTitles, &.-empty #attachments-more { display: none; }
    }
    """

    def __init__(
        self,
        files: Sequence[Attachment],
        change: Callable[[Sequence[Attachment]], None],
        mode: ContinuationMode,
        index: int = 0,
    ) -> None:
        super().__init__()
        self._table = AttachmentTable(files)
        self._change = change
        self._mode: ContinuationMode = mode
        self._first = index
        self._list = VirtualLines(cursor=True, id="attachments-list", classes="-active")

    def compose(self) -> ComposeResult:
        """The list, and below it what the file under the cursor and all of them add."""
        yield Dialog(
            TableTitles(self._table.titles),
            self._list,
            Static(
                Content("Nothing is attached. Enter chooses files; a dropped or pasted path works too."),
                id="attachments-empty",
                classes="dialog--empty",
                markup=False,
            ),
            Static("", id="attachments-more", markup=False),
            title="Attachments",
            keys="↑↓ move   ⇧↑ ⇧↓ reorder   Del remove   Enter add   Esc close",
        )

    def on_mount(self) -> None:
        """Look at the file that was asked for."""
        self._show(self._first)
        self._list.focus()

    def _show(self, cursor: int) -> None:
        self._list.show(self._table, cursor=cursor)
        self.set_class(not len(self._table), "-empty")
        self._say()

    def _say(self) -> None:
        files, index = self._table.files, self._list.cursor
        if index is None:
            return
        file = files[index]
        where = file.path or "from the clipboard, or sent before"
        lines = [
            Content.styled(visible_line(where), "$text-muted"),
            *([Content.styled(file.doubt, "$text-warning")] if file.doubt else []),
            Content.styled(
                f"Each later turn, for {'these files' if len(files) > 1 else 'this file'}:", "bold"
            ),
        ]
        for words, now in later_words(files, self._mode):
            lines.append(Content.styled(("● " if now else "  ") + words, "$text-accent" if now else ""))
        lines.append(
            Content.styled(
                "Estimates. The prompt cache may make them cheaper, never fewer.",
                "$text-muted",
            )
        )
        self.query_one("#attachments-more", Static).update(Content("\n").join(lines))

    def on_virtual_lines_highlighted(self, event: VirtualLines.Highlighted) -> None:
        """Tell about the file under the cursor."""
        event.stop()
        self._say()

    def on_virtual_lines_chosen(self, event: VirtualLines.Chosen) -> None:
        """A click only looks."""
        event.stop()

    def action_remove(self) -> None:
        """Take the file under the cursor off."""
        if (index := self._list.cursor) is not None:
            self._keep([*self._table.files[:index], *self._table.files[index + 1 :]], index)

    def action_shift(self, step: int) -> None:
        """Let the file under the cursor change places with its neighbour."""
        index = self._list.cursor
        if index is not None and 0 <= index + step < len(self._table):
            files = list(self._table.files)
            files.insert(index + step, files.pop(index))
            self._keep(files, index + step)

    def _keep(self, files: Sequence[Attachment], cursor: int) -> None:
        self._table = AttachmentTable(files)
        self._change(files)
        self._show(cursor)

    def action_add(self) -> None:
        """Choose more files."""
        self.dismiss(True)

    def action_close(self) -> None:
        """Back to the prompt."""
        self.dismiss(False)
