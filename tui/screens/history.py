"""Every conversation kept on this machine: listed, searched, opened, deleted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Static

from tui.core import figures
from tui.core.conversation import ConversationSummary
from tui.core.errors import OutcropError
from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.screens.list_dialog import ListDialog
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.dialog import Dialog
from tui.widgets.rows import Row

__all__ = ["ConfirmScreen", "ConversationTable", "HistoryScreen", "stays_at_server"]

_LISTED: Final = (
    Column("current", "", 1, 1, 0),
    Column("title", "conversation", 24, 64, 0),
    Column("when", "last turn", 16, 18, 0),
    Column("turns", "turns", 5, 5, 1, right=True),
    Column("sandbox", "", 7, 7, 2),
    Column("model", "model", 14, 24, 3),
)
_FOUND: Final = (
    Column("current", "", 1, 1, 0),
    Column("title", "conversation", 22, 30, 0),
    Column("when", "last turn", 16, 16, 0),
    Column("sandbox", "", 7, 7, 2),
    Column("excerpt", "found", 20, 200, 1),
)
_PAUSE: Final = 0.12
"""Seconds after a key before the search runs."""


class ConversationTable:
    """Conversations as rows."""

    def __init__(
        self, summaries: Sequence[ConversationSummary], now: float, current: str | None, *, found: bool
    ) -> None:
        self.summaries = summaries
        self._now = now
        self._current = current
        self._columns = _FOUND if found else _LISTED

    def __len__(self) -> int:
        """How many conversations."""
        return len(self.summaries)

    def titles(self, width: int) -> Row:
        """The line above the columns."""
        return titles_row(self._columns, width)

    def row(self, index: int, width: int) -> Row:
        """The conversation at `index`."""
        summary = self.summaries[index]
        cells: dict[str, Cell] = {
            "current": ("●" if summary.id == self._current else " ", "accent"),
            "title": (summary.title or "Untitled", None if summary.title else "dim"),
            "when": (figures.when(summary.updated_at, self._now), "key"),
            "turns": (str(summary.turns), "number"),
            "sandbox": ("sandbox" if summary.sandbox else "", "warning"),
            "model": (summary.model or figures.UNKNOWN, "dim"),
            "excerpt": (" ".join(summary.excerpt.split()), "dim"),
        }
        return table_row(layout(self._columns, width), cells)


class HistoryScreen(ListDialog[str | None]):
    """Gives the id of the conversation to open, or `None`.

    Args (of the constructor):
        list_all: Gives the conversations, the latest first.
        search: Gives those that hold the words typed, with an excerpt.
        delete: Deletes one by its id.
        kept: Gives how many of its responses the server keeps, by its id.
        current: The id of the conversation that is open.
        query: What the search begins with.
        now: The clock, seconds since the epoch.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.close"),
        Binding("up,ctrl+p", "move(-1)", "Up", show=False, priority=True, id="list.up"),
        Binding("down,ctrl+n", "move(1)", "Down", show=False, priority=True, id="list.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, priority=True, id="list.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, priority=True, id="list.page_down"),
        Binding("ctrl+d,delete", "delete", "Delete", show=False, priority=True, id="history.delete"),
    ]
    NAME = "history"

    def __init__(
        self,
        list_all: Callable[[], Awaitable[Sequence[ConversationSummary]]],
        search: Callable[[str], Awaitable[Sequence[ConversationSummary]]],
        delete: Callable[[str], Awaitable[None]],
        *,
        kept: Callable[[str], Awaitable[int]] | None = None,
        current: str | None = None,
        query: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._list_all = list_all
        self._search = search
        self._delete = delete
        self._kept = kept
        self._current = current
        self._query = query
        self._now = now
        self._table = ConversationTable((), 0, None, found=False)
        self._asked: str | None = None
        # The search keeps the keys; the list's cursor looks as if it had them.
        self._list.add_class("-active")
        self._list.can_focus = False

    def compose(self) -> ComposeResult:
        """Search, list, and a line about the one under the cursor."""
        yield self._framed(
            Input(
                self._query,
                placeholder="Search every conversation",
                id="history-search",
                select_on_focus=False,
            ),
            title="History",
            keys="↑↓ move   Enter open   Ctrl+D delete   Esc cancel",
        )

    def _titles_row(self, width: int) -> Row:
        return self._table.titles(width)

    def on_mount(self) -> None:
        """Ask for the list."""
        self.query_one(Input).focus()
        self._load(0.0)

    # What is listed.

    @on(Input.Changed, "#history-search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        # The search that the screen opens with changes the input too.
        if event.value.strip() != self._asked:
            self._load(_PAUSE)

    def _load(self, pause: float, cursor: int = 0) -> None:
        typed = self._asked = self.query_one(Input).value.strip()
        # As a callable: one that is replaced before it began leaves no coroutine behind that nobody awaits.
        self.rows_on_their_way = self.run_worker(
            partial(self._fill, typed, pause, cursor), group="history", description="list", exclusive=True
        )

    async def _fill(self, typed: str, pause: float, cursor: int) -> None:
        await asyncio.sleep(pause)
        try:
            summaries = await (self._search(typed) if typed else self._list_all())
        except OutcropError as error:
            self._say(str(error), "$text-error")
            return
        self._table = ConversationTable(list(summaries), self._now(), self._current, found=bool(typed))
        nothing = (
            "No conversation holds that." if typed else "Nothing yet. Conversations are kept here once sent."
        )
        self._show_rows(self._table, cursor, nothing)
        self._describe()

    @property
    def _highlighted(self) -> ConversationSummary | None:
        index = self._list.cursor
        return None if index is None else self._table.summaries[index]

    def _describe(self) -> None:
        summary = self._highlighted
        if summary is None:
            self._say("")
            return
        turns = f"{summary.turns} turn" + ("" if summary.turns == 1 else "s")
        where = "with the sandbox" if summary.sandbox else "with the service"
        began = figures.when(summary.created_at, self._now())
        model = f", {summary.model}" if summary.model else ""
        self._say(f"{turns} {where}{model}, begun {began}", above=" ".join(summary.excerpt.split()))

    # What the user does.

    @on(Input.Submitted, "#history-search")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose()

    def _choose(self) -> None:
        summary = self._highlighted
        if summary is not None:
            self.dismiss(summary.id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the middle of the search text, Delete is the text's."""
        if action == "delete" and self.is_mounted:
            search = self.query_one(Input)
            return search.cursor_position >= len(search.value)
        return True

    def action_delete(self) -> None:
        """Ask, then delete the conversation under the cursor."""
        summary = self._highlighted
        if summary is not None:
            self.run_worker(
                partial(self._ask_and_delete, summary),
                group="history-delete",
                description="delete",
                exclusive=True,
            )

    async def _ask_and_delete(self, summary: ConversationSummary) -> None:
        try:
            kept = await self._kept(summary.id) if self._kept is not None else 0
        except OutcropError:
            kept = 0
        turns = f"its {summary.turns} turns" if summary.turns != 1 else "its turn"
        question = (
            f"Delete “{summary.title or 'Untitled'}” with {turns} from this machine? It cannot be undone."
            f"{stays_at_server(kept)}"
        )
        # The app's type is generic and unknown here.
        app = cast("Any", self).app
        if not await app.push_screen_wait(ConfirmScreen(question, yes="Delete", no="Keep")):
            return
        try:
            await self._delete(summary.id)
        except OutcropError as error:
            self._say(str(error), "$text-error")
            return
        self._load(0.0, self._list.cursor or 0)

    def action_move(self, step: int) -> None:
        """Move the cursor; the search keeps the keys."""
        self._list.action_move(step)

    def action_page(self, step: int) -> None:
        """Move by what is visible."""
        self._list.action_page(step)

    def action_cancel(self) -> None:
        """Open nothing."""
        self.dismiss(None)


def stays_at_server(responses: int) -> str:
    """What a question about deleting says of the stored responses; begins with a space, empty for none."""
    if not responses:
        return ""
    what = "The stored response" if responses == 1 else f"The {responses:,} stored responses"
    stay = "stays" if responses == 1 else "stay"
    return f" {what} of it {stay} at the server until deleted there."


class ConfirmScreen(ModalScreen[bool]):
    """A question with two answers; the careful one has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "No", show=False, id="question.no"),
        Binding("y", "answer(True)", "Yes", show=False, id="question.yes"),
        Binding("left,right,up,down", "app.focus_next", "Other answer", show=False, id="question.other"),
    ]
    DEFAULT_CSS = """
    ConfirmScreen {
        align: center middle;
        & Dialog { width: 60; max-width: 90%; height: auto; padding: 1 2; border: round $error; }
        & Static { height: auto; padding-bottom: 1; }
        & Horizontal { height: auto; align-horizontal: right; }
        & Button { margin-left: 2; }
    }
    """

    def __init__(self, question: str, *, yes: str, no: str, title: str = "Sure?") -> None:
        super().__init__()
        self._question = question
        self._yes = yes
        self._no = no
        self._headline = title

    def compose(self) -> ComposeResult:
        """The question and its answers."""
        yield Dialog(
            Static(Content(visible_line(self._question))),
            Horizontal(
                Button(Content(self._no), id="confirm-no", compact=True),
                Button(Content(self._yes), id="confirm-yes", variant="error", compact=True),
            ),
            title=self._headline,
            keys="y / n",
        )

    def on_mount(self) -> None:
        """Enter keeps."""
        self.query_one("#confirm-no", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "confirm-yes")

    def action_answer(self, answer: bool) -> None:
        """Answer with a key."""
        self.dismiss(answer)
