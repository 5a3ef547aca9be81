"""What the server keeps: listed, looked at, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from tui.core.errors import OutcropError, WireError
from tui.core.figures import short_id
from tui.screens.history import ConfirmScreen
from tui.screens.list_dialog import ListDialog
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.dialog import Dialog
from tui.widgets.rows import Row

if TYPE_CHECKING:
    from tui.session.responses import Deletion, StoredResponses, StoredRow

__all__ = ["ResponseTable", "ResponsesScreen", "age_words", "left_words"]

_COLUMNS: Final = (
    Column("mark", "", 1, 1, 0),
    Column("id", "response", 14, 14, 0),
    Column("title", "conversation", 16, 48, 0),
    Column("model", "model", 14, 22, 3),
    Column("region", "region", 9, 14, 4),
    Column("age", "age", 6, 8, 1, right=True),
    Column("left", "kept for", 13, 14, 2),
)
_DAY: Final = 86_400.0
_NOTHING: Final = (
    "The server keeps nothing that is known here. A stateful turn is stored for 30 days; a stateless one "
    "is not stored at all."
)
_NOTHING_GONE: Final = "Nothing that was known here is gone from the server yet."


def age_words(seconds: float) -> str:
    """How old, in one unit: `12 s`, `7 min`, `5 h`, `3 d`."""
    for limit, unit, words in ((90.0, 1.0, "s"), (5400.0, 60.0, "min"), (2 * _DAY, 3600.0, "h")):
        if seconds < limit:
            return f"{seconds // unit:.0f} {words}"
    return f"{seconds // _DAY:.0f} d"


def left_words(row: StoredRow) -> str:
    """How long the server keeps it still, or that it does not."""
    if row.response.deleted_at is not None:
        return "deleted"
    if row.response.delete_wanted:
        return "delete failed"
    if row.state == "unknown":
        return "unknown"
    days = row.left / _DAY
    return f"{days:.0f} of 30 d" if days >= 1 else f"{max(1.0, row.left / 3600):.0f} h"


class ResponseTable:
    """Stored responses as rows.

    Args:
        rows: What is listed.
        titles: Titles by conversation id.
        marked: Ids of those that are marked.
    """

    def __init__(
        self, rows: Sequence[StoredRow], titles: Mapping[str, str], marked: Collection[str] = ()
    ) -> None:
        self.rows = rows
        self._titles = titles
        self._marked = marked

    def __len__(self) -> int:
        """How many."""
        return len(self.rows)

    @staticmethod
    def titles(width: int) -> Row:
        """The line above the columns."""
        return titles_row(_COLUMNS, width)

    def title_of(self, row: StoredRow) -> str:
        """The title of the conversation it belongs to; empty where that is not kept here any more."""
        return self._titles.get(row.response.conversation_id, "")

    def row(self, index: int, width: int) -> Row:
        """The response at `index`."""
        row = self.rows[index]
        response = row.response
        title = self.title_of(row)
        gone = response.deleted_at is not None
        wanted = response.delete_wanted
        quiet = gone or not row.reachable
        marked = response.response_id in self._marked
        cells: dict[str, Cell] = {
            "mark": ("●" if marked else "✗" if gone else " ", "accent" if marked else "dim"),
            "id": (short_id(response.response_id), "dim" if quiet else "key"),
            "title": (title or "no longer here", "dim" if quiet or not title else None),
            "model": (response.target.model, "dim"),
            "region": (response.target.region, "dim"),
            "age": (age_words(row.age), "dim" if quiet else "number"),
            "left": (left_words(row), "warning" if wanted else "dim" if quiet else None),
        }
        return table_row(layout(_COLUMNS, width), cells)


class ResponsesScreen(ListDialog[None]):
    """Lists stored responses; Enter looks at one, `d` and `D` delete.

    Args (of the constructor):
        responses: The session's stored responses.
        titles: Gives the titles of the conversations kept here, by id.
        max_display_chars: Characters of one string of a raw object that are shown; 0 is no limit.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", show=False, id="dialog.close"),
        Binding("space", "mark", "Mark", show=False, priority=True, id="responses.mark"),
        Binding("d,delete", "delete", "Delete", show=False, id="responses.delete"),
        Binding("D,shift+delete", "delete_all", "Delete all", show=False, id="responses.delete_all"),
        Binding("x,tab", "other", "Kept or gone", show=False, priority=True, id="responses.other"),
        Binding("r,f5", "reload", "Read again", show=False, id="responses.reload"),
    ]
    NAME = "responses"

    def __init__(
        self,
        responses: StoredResponses,
        titles: Callable[[], Awaitable[Mapping[str, str]]],
        *,
        max_display_chars: int = 4000,
    ) -> None:
        super().__init__()
        self._responses = responses
        self._ask_titles = titles
        self._chars = max_display_chars
        self._gone = False
        self._marked: set[str] = set()
        self._errors: dict[str, str] = {}
        self._table = ResponseTable((), {})

    def compose(self) -> ComposeResult:
        """Titles, list, and a line about the one under the cursor."""
        yield self._framed(
            title="Stored responses",
            keys="Enter look   Space mark   d delete   D all   Tab gone ones   Esc close",
        )

    def _titles_row(self, width: int) -> Row:
        return ResponseTable.titles(width)

    def on_mount(self) -> None:
        """Ask for the list."""
        self._list.focus()
        self.action_reload()

    # ---- what is listed

    def action_reload(self) -> None:
        """Read the list again."""
        self.run_worker(partial(self._fill, None), group="responses", description="list", exclusive=True)

    def action_other(self) -> None:
        """Show what is gone instead of what is kept, or the reverse."""
        self._gone = not self._gone
        self._marked.clear()
        self._errors.clear()
        self.action_reload()

    async def _fill(self, said: str | None) -> None:
        try:
            rows, titles = await asyncio.gather(self._responses.list(deleted=self._gone), self._ask_titles())
        except OutcropError as error:
            self._say(str(error), "$text-error")
            return
        known = {row.response.response_id for row in rows}
        self._marked &= known
        self._errors = {key: text for key, text in self._errors.items() if key in known}
        self._table = ResponseTable(rows, titles, self._marked)
        self._show_rows(self._table, self._list.cursor or 0, _NOTHING_GONE if self._gone else _NOTHING)
        dialog = self.query_one(Dialog)
        count = f"{len(rows)} " if rows else ""
        dialog.border_title = Content(
            f"Responses gone from the server  {count}" if self._gone else f"Stored responses  {count}"
        )
        if said is None:
            self._describe()
        else:
            self._say(said, "$text-warning" if self._errors else "$text-success")

    @property
    def _highlighted(self) -> StoredRow | None:
        index = self._list.cursor
        return None if index is None else self._table.rows[index]

    def _describe(self) -> None:
        row = self._highlighted
        if row is None:
            self._say("")
            return
        response = row.response
        target = response.target
        lines = [f"{response.response_id}   {target.endpoint} · {target.region} · {target.model}"]
        if error := self._errors.get(response.response_id):
            lines.append(f"Not deleted: {error}")
        elif row.unreachable:
            lines.append(row.unreachable)
        elif response.delete_wanted:
            lines.append("It could not be deleted; that is tried again at every start.")
        elif row.state == "unknown":
            lines.append(
                f"Made {age_words(row.age)} ago; its answer never ended, so the server may not have kept it. "
                "Enter asks."
            )
        elif response.deleted_at is None:
            days = max(1, round(row.left / _DAY))
            still = "1 more day" if days == 1 else f"{days} more days"
            lines.append(
                f"Made {age_words(row.age)} ago; the server keeps it for {still}, if nobody deletes it."
            )
        if self._marked:
            lines.append(f"{len(self._marked)} marked.")
        self._say("\n".join(lines), "$text-muted")

    # ---- what the user does

    def _choose(self) -> None:
        row = self._highlighted
        if row is None:
            return
        if row.unreachable:
            self._say(row.unreachable, "$text-warning")
            return
        self._say("Asking the server …", "$text-muted")
        self.run_worker(
            partial(self._look, row), group="responses-look", description="retrieve", exclusive=True
        )

    async def _look(self, row: StoredRow) -> None:
        from tui.screens.raw_response import RawResponseScreen

        response_id = row.response.response_id
        try:
            raw = await self._responses.retrieve(response_id)
        except OutcropError as error:
            if isinstance(error, WireError) and error.status == 404 and not self._gone:
                # It is no longer among those that are kept.
                await self._fill(None)
            self._say(str(error), "$text-error")
            return
        self._describe()
        cast("Any", self).app.push_screen(RawResponseScreen(response_id, raw, self._chars))

    def action_mark(self) -> None:
        """Mark the one under the cursor, or unmark it, and go to the next."""
        row = self._highlighted
        if row is None or self._gone:
            return
        self._marked ^= {row.response.response_id}
        self._list.refresh()
        self._list.action_move(1)
        self._describe()

    def action_delete(self) -> None:
        """Ask, then delete what is marked, or the one under the cursor."""
        row = self._highlighted
        if row is None or self._gone:
            return
        ids = [
            one.response.response_id for one in self._table.rows if one.response.response_id in self._marked
        ]
        self._ask_to_delete(ids or [row.response.response_id])

    def action_delete_all(self) -> None:
        """Ask, then delete all that are shown and that this run can reach."""
        ids = [row.response.response_id for row in self._table.rows if row.reachable]
        if self._gone:
            return
        if ids:
            self._ask_to_delete(ids)
        elif self._table.rows:
            self._say("None of these can be reached from this run.", "$text-warning")

    def _ask_to_delete(self, ids: list[str]) -> None:
        self.run_worker(
            partial(self._delete, ids), group="responses-delete", description="delete", exclusive=True
        )

    async def _delete(self, ids: list[str]) -> None:
        what = f"these {len(ids)} responses" if len(ids) > 1 else f"the response {short_id(ids[0])}"
        question = (
            f"Delete {what} from the server? The conversations stay here; they go on by sending their turns "
            "again."
        )
        # The app's type is generic and unknown here.
        app = cast("Any", self).app
        if not await app.push_screen_wait(ConfirmScreen(question, yes="Delete", no="Keep")):
            return
        self._say(f"Deleting {what} …", "$text-muted")
        try:
            results = await self._responses.delete(ids)
        except OutcropError as error:
            self._say(str(error), "$text-error")
            return
        self._marked.clear()
        self._errors = {one.response_id: str(one.error) for one in results if one.error is not None}
        await self._fill(_result_words(results))

    def action_close(self) -> None:
        """Back to the conversation."""
        self.dismiss(None)


def _result_words(results: Sequence[Deletion]) -> str:
    """What came of it; every failure by its id, the first few in full."""
    deleted = [one for one in results if one.deleted]
    failed = [one for one in results if not one.deleted]
    lines = [
        f"{len(deleted)} deleted." if len(deleted) != 1 else f"{short_id(deleted[0].response_id)} deleted."
    ]
    if failed:
        many = "1 was" if len(failed) == 1 else f"{len(failed)} were"
        lines[0] = f"{lines[0]} {many} not; what this run can reach is tried again at the next start."
        lines += [f"{short_id(one.response_id)}: {one.error}" for one in failed[:3]]
        if len(failed) > 3:
            lines.append(f"… and {len(failed) - 3} more; move to each to read why.")
    return "\n".join(lines)
