"""The conversations of this run: which stream, wait, have ended unread; gone to with Enter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui.screens.list_dialog import ListDialog
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.rows import Mark, Row

__all__ = ["OpenChoice", "OpenConversation", "OpenConversationsScreen", "OpenState", "OpenTable"]

OpenState = Literal[
    "streaming",
    "waiting",
    "background",
    "starting",
    "ready",
    "incomplete",
    "stopped",
    "failed",
    "draft",
    "idle",
]

_COLUMNS: Final = (
    Column("shown", "", 1, 1, 0),
    Column("title", "conversation", 30, 60, 0),
    Column("state", "state", 20, 24, 0),
    Column("turns", "turns", 5, 5, 1, right=True),
    Column("queued", "queued", 6, 6, 2, right=True),
    Column("branch", "branch", 6, 7, 3),
    Column("model", "model", 14, 24, 4),
)
_WORDS: Final[dict[OpenState, tuple[str, Mark | None]]] = {
    "streaming": ("● streaming", "accent"),
    "waiting": ("◌ waits to try again", "warning"),
    "background": ("● in the background", "accent"),
    "starting": ("● starting", "accent"),
    "ready": ("✓ ended, unread", "success"),
    "incomplete": ("◐ incomplete, unread", "warning"),
    "stopped": ("◐ stopped, unread", "warning"),
    "failed": ("✗ failed, unread", "error"),
    "draft": ("✎ draft", "dim"),
    "idle": ("", "dim"),
}


@dataclass(frozen=True, slots=True)
class OpenConversation:
    """A conversation of this run as it stands now.

    Attributes:
        id: The conversation's local id.
        title: Its title, safe for a terminal; empty where nothing was sent.
        state: What goes on in it.
        shown: Whether it is the one on the screen.
        turns: How many turns its tree has.
        queued: How many prompts wait there.
        seconds: Since when its turn runs; `None` where none does.
        branch: Which branch it stands at, `2/3`; empty where there is one.
        model: The model that is asked next.
    """

    id: str
    title: str
    state: OpenState
    shown: bool
    turns: int
    queued: int
    seconds: float | None
    branch: str
    model: str


@dataclass(frozen=True, slots=True)
class OpenChoice:
    """Where to go; `None` begins another conversation."""

    conversation_id: str | None


class OpenTable:
    """Open conversations as rows."""

    def __init__(self, rows: Sequence[OpenConversation] = ()) -> None:
        self.rows = rows
        # A column that says nothing of any of them leaves its room to the titles.
        empty = {
            *({"queued"} if not any(one.queued for one in rows) else ()),
            *({"branch"} if not any(one.branch for one in rows) else ()),
        }
        self._columns = tuple(column for column in _COLUMNS if column.key not in empty)

    def __len__(self) -> int:
        """How many."""
        return len(self.rows)

    def titles(self, width: int) -> Row:
        """The line above the columns."""
        return titles_row(self._columns, width)

    def row(self, index: int, width: int) -> Row:
        """The conversation at `index`."""
        one = self.rows[index]
        words, mark = _WORDS[one.state]
        if one.seconds is not None and one.state in ("streaming", "background"):
            words = f"{words} {_clock(one.seconds)}"
        cells: dict[str, Cell] = {
            "shown": ("●" if one.shown else " ", "accent"),
            "title": (one.title or "New conversation", None if one.title else "dim"),
            "state": (words, mark),
            "turns": (str(one.turns), "number"),
            "queued": (str(one.queued) if one.queued else "", "number"),
            "branch": (one.branch, "accent"),
            "model": (one.model, "dim"),
        }
        return table_row(layout(self._columns, width), cells)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    return f"{minutes}:{rest:02d}"


class OpenConversationsScreen(ListDialog[OpenChoice | None]):
    """Gives where to go, or `None`.

    Args (of the constructor):
        look: Gives the open conversations as they stand now.
        close: Takes one off the list by its id; says why where that cannot be, else nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.close"),
        Binding("n", "new", "Another conversation", show=False, id="open.new"),
        Binding("u", "unread", "Next unread", show=False, id="open.unread"),
        Binding("x,delete", "close", "Close", show=False, id="open.close"),
    ]
    DEFAULT_CSS = """
    OpenConversationsScreen Dialog { height: auto; max-height: 80%; }
    OpenConversationsScreen VirtualLines { height: auto; min-height: 3; }
    """
    NAME = "open"
    _EVERY = 0.5

    def __init__(self, look: Callable[[], Sequence[OpenConversation]], close: Callable[[str], str]) -> None:
        super().__init__()
        self._look = look
        self._close = close
        self._table = OpenTable()
        self._complains = False  # a complaint is read before the clock of what streams replaces it

    def compose(self) -> ComposeResult:
        """The list and a line about the conversation under the cursor."""
        yield self._framed(
            title="Open conversations",
            keys="Enter go   u next unread   n new   x close   Esc back",
        )

    def _titles_row(self, width: int) -> Row:
        return self._table.titles(width)

    def on_mount(self) -> None:
        """The one that is shown is under the cursor; what runs is looked at again and again."""
        self._list.focus()
        self._table = OpenTable(self._look())
        here = next((index for index, one in enumerate(self._table.rows) if one.shown), 0)
        self._list.show(self._table, cursor=here)
        self._describe()
        self.set_interval(self._EVERY, self._refresh)

    def _refresh(self) -> None:
        rows = self._look()
        if rows != self._table.rows:
            self._table = OpenTable(rows)
            self._list.replace(self._table)
            self._titles.refresh()
            if not self._complains:
                self._describe()

    @property
    def _highlighted(self) -> OpenConversation | None:
        index = self._list.cursor
        return None if index is None else self._table.rows[index]

    def _complain(self, sentence: str) -> None:
        self._complains = True
        self._say(sentence, "$text-warning")

    def _describe(self) -> None:
        self._complains = False
        one = self._highlighted
        if one is None:
            return
        turns = f"{one.turns} turn" + ("" if one.turns == 1 else "s")
        queued = f", {one.queued} queued" if one.queued else ""
        here = "Shown now. " if one.shown else ""
        self._say(f"{here}{turns}{queued}. {one.title}")

    def _choose(self) -> None:
        one = self._highlighted
        if one is not None:
            self.dismiss(OpenChoice(one.id))

    def action_new(self) -> None:
        """Begin another conversation."""
        self.dismiss(OpenChoice(None))

    def action_unread(self) -> None:
        """Put the cursor on the next one that has ended and was not looked at."""
        start = (self._list.cursor or 0) + 1
        order = [*range(start, len(self._table)), *range(min(start, len(self._table)))]
        unread = ("ready", "incomplete", "stopped", "failed")
        found = next((index for index in order if self._table.rows[index].state in unread), None)
        if found is None:
            self._complain("Nothing has ended that was not looked at.")
        else:
            self._list.move_cursor(found)

    def action_close(self) -> None:
        """Take the conversation under the cursor off the list; it stays in the history."""
        one = self._highlighted
        if one is None:
            return
        if why_not := self._close(one.id):
            self._complain(why_not)
        else:
            self._complains = False
            self._refresh()

    def action_cancel(self) -> None:
        """Stay where we are."""
        self.dismiss(None)
