"""Choosing files to attach: a folder, a search through all that is below it, and a look at each file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ClassVar, Final, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from tui.core.attachments import Attachment
from tui.core.errors import OutcropError
from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.widgets.attachment_chips import describe, size_words
from tui.widgets.columns import Cell, Column, TableTitles, layout, table_row, titles_row
from tui.widgets.dialog import Dialog
from tui.widgets.file_search import FoundFile, Walk, ask_disk, fuzzy, kind_of, list_folder, split_path, walk
from tui.widgets.rows import Row
from tui.widgets.virtual_lines import VirtualLines

__all__ = ["FileChooser"]

_COLUMNS: Final = (
    Column("mark", "", 1, 1, 0),
    Column("path", "name", 24, 200, 0),
    Column("kind", "kind", 6, 6, 1),
)
_UP: Final = FoundFile("..", True)
_PAUSE: Final = 0.1
"""Seconds after a move before the file under the cursor is read."""
_SECONDS: Final = 5.0
"""Seconds that a folder may take to tell what is in it."""
_T = TypeVar("_T")


class _Table:
    """Files and folders as rows."""

    def __init__(self, files: Sequence[FoundFile], folder: str, marked: Sequence[str]) -> None:
        self.files = tuple(files)
        self._folder = folder
        self._marked = frozenset(marked)

    def __len__(self) -> int:
        return len(self.files)

    def titles(self, width: int) -> Row:
        return titles_row(_COLUMNS, width)

    def row(self, index: int, width: int) -> Row:
        file = self.files[index]
        marked = os.path.join(self._folder, file.path) in self._marked
        cells: dict[str, Cell] = {
            "mark": ("●" if marked else " ", "accent"),
            "path": (file.shown, "key" if file.is_folder else "accent" if marked else None),
            "kind": ("folder" if file.is_folder else kind_of(file.name), "dim"),
        }
        return table_row(layout(_COLUMNS, width), cells)


class FileChooser(ModalScreen[Sequence[str] | None]):
    """Gives the paths that were chosen, or `None`.

    Args (of the constructor):
        look: Reads and checks a file as it would be attached.
        folder: Where it begins; the working folder by default.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.close"),
        Binding("up,ctrl+p", "move(-1)", "Up", show=False, priority=True, id="list.up"),
        Binding("down,ctrl+n", "move(1)", "Down", show=False, priority=True, id="list.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, priority=True, id="list.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, priority=True, id="list.page_down"),
        Binding("tab", "mark", "Mark", show=False, priority=True, id="files.mark"),
        Binding("ctrl+s", "take_marked", "Take what is marked", show=False, priority=True, id="files.take"),
        Binding("ctrl+a", "mark_all", "Mark all that are shown", show=False, priority=True, id="files.all"),
        Binding(
            "alt+up,shift+tab", "leave_folder", "Parent folder", show=False, priority=True, id="files.up"
        ),
    ]
    DEFAULT_CSS = """
    FileChooser {
        align: center middle;
        & Dialog { max-width: 110; max-height: 36; }
        & #files-folder { height: 1; padding: 0 1; color: $text-muted; }
        & #files-detail { min-height: 3; }
        & #files-empty { display: none; }
        &.-empty #files-empty { display: block; }
        &.-empty VirtualLines, &.-empty TableTitles { display: none; }
    }
    """

    def __init__(self, look: Callable[[str], Awaitable[Attachment]], folder: str = "") -> None:
        super().__init__()
        self._look = look
        self._folder = self._shown_folder = os.path.abspath(folder or os.getcwd())
        self._below: tuple[str, Walk] | None = None
        self._marked: dict[str, None] = {}  # in the order in which they were marked
        self._looks: dict[str, Attachment | str] = {}
        self._table = _Table((), self._folder, ())
        self._list = VirtualLines(cursor=True, id="files-list", classes="-active")
        self._list.can_focus = False
        self._whole = self._answers = True

    def compose(self) -> ComposeResult:
        """Search, where one is, the list, and what there is to say of the file under the cursor."""
        yield Dialog(
            Input(placeholder="Search below this folder, or type a path", id="files-search"),
            Static("", id="files-folder", markup=False),
            TableTitles(self._table.titles),
            self._list,
            Static("", id="files-empty", classes="dialog--empty", markup=False),
            Static("", id="files-detail", classes="dialog--detail", markup=False),
            title="Attach PDFs and images",
            keys="Enter take   Tab mark   Ctrl+S take marked   ⇧Tab parent   Esc cancel",
        )

    def on_mount(self) -> None:
        """List the folder."""
        self.query_one(Input).focus()
        self._load()

    # ---- what is listed

    @on(Input.Changed, "#files-search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._load()

    def _load(self, back_to: str = "") -> None:
        self.rows_on_their_way = self.run_worker(
            partial(self._fill, self.query_one(Input).value, back_to), group="files", exclusive=True
        )

    async def _fill(self, typed: str, back_to: str) -> None:
        folder, start = split_path(typed, self._folder)
        if start and "/" not in typed:
            if self._below is None or self._below[0] != folder:
                self.query_one("#files-folder", Static).update(Content("Looking below this folder …"))
                self._below = (folder, await self._asked(partial(walk, folder), Walk((), False)))
            found, self._whole = self._below[1].files, self._below[1].whole
        else:
            listing = partial(list_folder, folder, hidden=start.startswith("."))
            found = await self._asked(listing, ())
            self._whole = True
        wanted = [file for file in found if file.is_folder or kind_of(file.name)]
        rows = await asyncio.to_thread(fuzzy, start, wanted, 1000)
        if not start and os.path.dirname(folder) != folder:
            rows = [*rows, _UP]
        self._show(rows, folder, back_to)

    async def _asked(self, work: Callable[[], _T], nothing: _T) -> _T:
        """Ask the file system beside the event loop; what does not answer is said."""
        found = await ask_disk(work, None, seconds=_SECONDS)
        self._answers = found is not None
        return nothing if found is None else found

    def _show(self, rows: Sequence[FoundFile], folder: str, back_to: str = "") -> None:
        self._shown_folder = folder
        self._table = _Table(rows, folder, tuple(self._marked))
        names = [file.name for file in rows]
        cursor = names.index(back_to) if back_to in names else 0
        self._list.show(self._table, cursor=cursor)
        nothing = not any(file is not _UP for file in rows)
        self.set_class(not rows, "-empty")
        if not rows:
            self.query_one("#files-empty", Static).update(
                Content("No PDF, no image and no folder here has these letters in its name.")
            )
        self._say_where(nothing)
        self._tell()

    def _say_where(self, nothing: bool) -> None:
        home = os.path.expanduser("~")
        folder = self._shown_folder
        short = f"~{folder[len(home) :]}" if folder == home or folder.startswith(f"{home}/") else folder
        count = len(self._marked)
        notes = [
            *([f"{count} marked"] if count else []),
            *([] if self._answers else ["it does not answer: is its disk or network there?"]),
            *(["no PDF or image in it"] if nothing and self._answers else []),
            *([] if self._whole or not self._answers else ["too much to search it all"]),
        ]
        self.query_one("#files-folder", Static).update(
            Content.assemble(
                (visible_line(short), "$text-primary"), ("".join(f"  ·  {n}" for n in notes), "")
            )
        )

    # ---- what is under the cursor

    @property
    def _highlighted(self) -> tuple[FoundFile, str] | None:
        index = self._list.cursor
        if index is None or index >= len(self._table):
            return None
        file = self._table.files[index]
        return file, os.path.normpath(os.path.join(self._shown_folder, file.path))

    def _tell(self) -> None:
        """Say what is under the cursor; a file is read for it, off the event loop."""
        found = self._highlighted
        if found is None:
            self._detail("")
        elif found[0].is_folder:
            what = "The folder above." if found[0] is _UP else "A folder."
            self._detail(f"{what} Enter goes into it.")
        elif found[1] in self._looks:
            self._tell_of(found[1])
        else:
            self._detail("Reading …")
            self.run_worker(partial(self._read, found[1]), group="look", exclusive=True)

    async def _read(self, path: str) -> None:
        await asyncio.sleep(_PAUSE)
        try:
            self._looks[path] = await self._look(path)
        except OutcropError as error:
            # The folder stands above the list already.
            name = visible_line(os.path.basename(path))
            self._looks[path] = str(error).replace(visible_line(path), name)
        found = self._highlighted
        if found is not None and found[1] == path:
            self._tell_of(path)

    def _tell_of(self, path: str) -> None:
        look = self._looks[path]
        if isinstance(look, str):
            self._detail(look, "$text-error")
            return
        self._detail(
            f"{describe(look)}\n{size_words(look.sent_size)} in a request  ·  {look.media_type}",
            doubt=look.doubt,
        )

    def _detail(self, text: str, style: str = "", doubt: str = "") -> None:
        lines = [Content.styled(visible_line(line), style) for line in text.split("\n")]
        if doubt:
            lines.append(Content.styled(doubt, "$text-warning"))
        self.query_one("#files-detail", Static).update(Content("\n").join(lines))

    def on_virtual_lines_highlighted(self, event: VirtualLines.Highlighted) -> None:
        """Tell about the file under the cursor."""
        event.stop()
        self._tell()

    # ---- choosing

    def on_virtual_lines_chosen(self, event: VirtualLines.Chosen) -> None:
        """A click is Enter."""
        event.stop()
        self._take()

    @on(Input.Submitted, "#files-search")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._take()

    def _take(self) -> None:
        """Go into a folder; give the marked files, or the one under the cursor when none is marked."""
        found = self._highlighted
        if found is not None and found[0].is_folder:
            self._enter(found[1], os.path.basename(self._shown_folder) if found[0] is _UP else "")
        elif self._marked:
            self.dismiss(tuple(self._marked))
        elif found is not None:
            self.dismiss((found[1],))

    def action_take_marked(self) -> None:
        """Give the marked files, wherever the cursor is; without any, as Enter."""
        if self._marked:
            self.dismiss(tuple(self._marked))
        else:
            self._take()

    def _enter(self, folder: str, back_to: str = "") -> None:
        # At once, so that the next key does not act on what was listed before.
        self._folder = self._shown_folder = folder
        self._table = _Table((), folder, ())
        self._list.show(self._table)
        search = self.query_one(Input)
        with search.prevent(Input.Changed):
            search.value = ""
        self._load(back_to)

    def action_leave_folder(self) -> None:
        """Go to the folder above."""
        above = os.path.dirname(self._shown_folder)
        self._enter(above, os.path.basename(self._shown_folder))

    def action_mark(self) -> None:
        """Mark the file under the cursor, or no longer, and go to the next."""
        found = self._highlighted
        if found is None:
            return
        if not found[0].is_folder:
            if found[1] in self._marked:
                del self._marked[found[1]]
            else:
                self._marked[found[1]] = None
            self._redraw()
        self._list.action_move(1)

    def action_mark_all(self) -> None:
        """Mark every file that is listed; or none of them, when they all are."""
        paths = [
            os.path.normpath(os.path.join(self._shown_folder, file.path))
            for file in self._table.files
            if not file.is_folder
        ]
        if all(path in self._marked for path in paths):
            for path in paths:
                del self._marked[path]
        else:
            self._marked |= dict.fromkeys(paths)
        self._redraw()

    def _redraw(self) -> None:
        self._table = _Table(self._table.files, self._shown_folder, tuple(self._marked))
        self._list.replace(self._table)
        self._say_where(not any(file is not _UP for file in self._table.files))

    def action_move(self, step: int) -> None:
        """Move the cursor; the search keeps the keys."""
        self._list.action_move(step)

    def action_page(self, step: int) -> None:
        """Move by what is visible."""
        self._list.action_page(step)

    def action_cancel(self) -> None:
        """Attach nothing."""
        self.dismiss(None)
