"""The guide's smoke checks, live as they run; Enter opens a check's request in the inspector."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from tui.checks.context import CheckContext
from tui.checks.running import CheckRun, left_out, waiting
from tui.checks.table import CHECKS, chosen, price_words
from tui.core.checks.results import GLYPHS, CheckResult, cost_words, counts, spent
from tui.core.errors import OutcropError
from tui.core.figures import seconds, short_id
from tui.crash import report
from tui.screens.history import ConfirmScreen
from tui.screens.list_dialog import ListDialog
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.dialog import Dialog
from tui.widgets.rows import Mark, Row

if TYPE_CHECKING:
    from textual.worker import Worker

    from tui.checks.definition import Check
    from tui.core.items import Target
    from tui.session.session import Session

__all__ = ["CheckTable", "ChecksScreen"]

_COLUMNS: Final = (
    Column("state", "", 1, 1, 0),
    Column("name", "check", 14, 14, 0),
    Column("time", "time", 8, 8, 0, right=True),
    Column("cost", "so far", 9, 9, 1, right=True),
    Column("id", "request id", 14, 14, 2),
    Column("found", "found", 10, 90, 0),
)
_MARKS: Final[dict[str, Mark]] = {
    "waiting": "dim",
    "running": "accent",
    "passed": "success",
    "failed": "error",
    "skipped": "dim",
}
_LOOK_EVERY: Final = 0.1
_RUNNING: Final = "Esc stops"
_DONE: Final = "Enter inspector   r this again   a all   f free ones   Esc close"


class CheckTable:
    """Checks as rows.

    Args:
        results: In order.
        elapsed: Seconds that the one which is running has taken so far.
    """

    def __init__(self, results: Sequence[CheckResult], elapsed: float | None = None) -> None:
        self.results = results
        self._elapsed = elapsed

    def __len__(self) -> int:
        """How many."""
        return len(self.results)

    @staticmethod
    def titles(width: int) -> Row:
        """The line above the columns."""
        return titles_row(_COLUMNS, width)

    def row(self, index: int, width: int) -> Row:
        """The check at `index`."""
        result = self.results[index]
        state = result.state
        quiet: Mark | None = "dim" if state in ("waiting", "skipped") else None
        found = {"waiting": result.title, "running": result.title}.get(state, result.sentence)
        took = self._elapsed if state == "running" else result.seconds
        ended = state in ("passed", "failed", "skipped")
        cells: dict[str, Cell] = {
            "state": (GLYPHS[state], _MARKS[state]),
            "name": (result.name, quiet or "key"),
            "time": (seconds(took) if took is not None else "", quiet),
            "cost": (cost_words(spent(self.results[: index + 1])) if ended else "", quiet or "number"),
            "id": (short_id(result.request_id) if ended else "", "dim"),
            "found": (found, "error" if state == "failed" else quiet),
        }
        return table_row(layout(_COLUMNS, width), cells)


class ChecksScreen(ListDialog[None]):
    """Runs the checks and shows them.

    Args (of the constructor):
        session: The session; it is warm.
        target: Where the checks go.
    """

    NAME = "checks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Stop, then close", show=False, id="checks.leave"),
        Binding("r", "again", "Run this one again", show=False, id="checks.again"),
        Binding("a", "all", "Run all", show=False, id="checks.all"),
        Binding("f", "free", "Run the free ones", show=False, id="checks.free"),
    ]
    DEFAULT_CSS = """
    ChecksScreen {
        & Dialog { max-height: 33; }
        & Dialog .dialog--detail { height: 7; max-height: 7; }
    }
    """

    def __init__(self, session: Session, target: Target) -> None:
        super().__init__()
        self._session = session
        self._target = target
        self._results = {check.name: waiting(check) for check in CHECKS}
        self._work: CheckRun | None = None
        self._worker: Worker[None] | None = None
        self._began = 0.0
        self._problem = ""
        self._followed: int | None = None

    def compose(self) -> ComposeResult:
        """Titles, the checks, and a few lines about the one under the cursor."""
        target = self._target
        where = f"{target.model} in {target.region} on {target.endpoint}"
        yield self._framed(title=f"Checks · {where}", keys=_RUNNING)

    def _titles_row(self, width: int) -> Row:
        return CheckTable.titles(width)

    def on_mount(self) -> None:
        """Run what may be run."""
        self._list.focus()
        self._draw()
        self.set_interval(_LOOK_EVERY, self._look)
        self.action_all()

    # ---- running

    def action_all(self) -> None:
        """Run all; what is paid for is asked about before."""
        self._begin((), free=False)

    def action_free(self) -> None:
        """Run those that cost nothing."""
        self._begin((), free=True)

    def action_again(self) -> None:
        """Run the one under the cursor again."""
        self._begin((self._highlighted.name,), free=False)

    def _begin(self, only: Sequence[str], *, free: bool) -> None:
        if self._worker is None:
            self._worker = self.run_worker(
                partial(self._run, only, free),
                group="checks",
                name="checks",
                description="runs",
                exit_on_error=False,
            )

    async def _run(self, only: Sequence[str], free: bool) -> None:
        self._problem = ""
        self._keys(_RUNNING)
        try:
            await self._session.warm_up()
            settings = self._session.settings
            checks, left = chosen(only, free=free, timing=settings.responsiveness_check)
            if not free and not await self._may_send(checks):
                free = True
                checks, left = chosen(only, free=True, timing=settings.responsiveness_check)
            if self._work is None:
                conversation = await self._session.new()
                self._work = CheckRun(CheckContext(cast("Any", self._session), self._target, conversation.id))
            if checks:
                self._followed = self._list.cursor
                self._reset(checks, left if not only else (), free=free)
                await self._follow(self._work, checks)
        except (OutcropError, OSError) as error:
            self._problem = str(error)
        except asyncio.CancelledError:
            self._problem = "Stopped."
            raise
        except Exception as error:  # The worker's edge: a fault of ours must not take the program down.
            self._problem = report(error)
        finally:
            self._ended()

    async def _may_send(self, checks: Iterable[Check]) -> bool:
        price = price_words(checks, self._target, self._session.catalogue)
        if not price or self._target.sandbox:
            return True
        # The app's type is generic and unknown here.
        app = cast("Any", self).app
        question = ConfirmScreen(
            f"This sends {price}", yes="Send them", no="Free ones only", title="These checks cost money"
        )
        return bool(await app.push_screen_wait(question))

    def _reset(self, checks: Iterable[Check], left: Iterable[Check], *, free: bool) -> None:
        for check in checks:
            self._results[check.name] = waiting(check)
        for check in left:
            self._results[check.name] = left_out(check, free=free)
        self._draw()

    async def _follow(self, work: CheckRun, checks: Sequence[Check]) -> None:
        from time import monotonic

        async with aclosing(work.run(checks)) as results:
            async for result in results:
                self._results[result.name] = result
                if result.state == "running":
                    self._began = monotonic()
                self._draw()
                self._keep_up(result.name)
                self._describe()

    def _keep_up(self, name: str) -> None:
        """The cursor goes along with the check that runs, unless somebody moved it."""
        at = list(self._results).index(name)
        if self._list.cursor == self._followed:
            self._list.move_cursor(at)
        self._followed = at

    def _ended(self) -> None:
        self._worker = None
        for name, result in self._results.items():
            if result.state == "running":
                self._results[name] = replace(result, state="skipped", sentence="It was stopped.")
        if not self.is_attached:
            return
        self._keys(_DONE)
        self._draw()
        rows = list(self._results.values())
        first = next((index for index, row in enumerate(rows) if row.state == "failed"), None)
        if first is not None:
            self._list.move_cursor(first)
        self._describe()

    def _look(self) -> None:
        if self._worker is not None and any(row.state == "running" for row in self._results.values()):
            self._draw()

    # ---- the table

    @property
    def _highlighted(self) -> CheckResult:
        return list(self._results.values())[self._list.cursor or 0]

    def _draw(self) -> None:
        from time import monotonic

        table = CheckTable(list(self._results.values()), max(0.0, monotonic() - self._began))
        if self._list.cursor is None:
            self._show_rows(table, 0, "")
        else:
            self._list.replace(table)

    def _describe(self) -> None:
        result = self._highlighted
        rows = list(self._results.values())
        numbers, total = counts(rows), spent(rows)
        said = [f"{number} {name}" for name, number in numbers.items() if number or name == "passed"]
        above = f"{', '.join(said)}{'' if total is None else f'; {cost_words(total)}'}. {self._problem}"
        lines = [result.sentence or f"{result.title}{', paid for' if result.paid else ''}"]
        if result.next_step:
            lines.append(f"Next: {result.next_step}")
        self._say("\n".join(lines), "$text-error" if result.state == "failed" else "$text-muted", above=above)

    def _choose(self) -> None:
        """Open the check's last request in the inspector."""
        from tui.screens.inspecting import prepare_inspector
        from tui.screens.inspector_screen import InspectorScreen

        result, work = self._highlighted, self._work
        if work is None or not result.exchange_ids:
            self._say(f"{result.name} has sent no request.", "$text-warning")
            return
        chars = self._session.settings.max_display_chars
        screen = InspectorScreen(work.exchanges, title=f"Checks · {result.name}", max_display_chars=chars)
        prepare_inspector(screen.inspector, self._session)
        screen.inspector.select(result.exchange_ids[-1])
        cast("Any", self).app.push_screen(screen)

    def _keys(self, text: str) -> None:
        if self.is_attached:
            self.query_one(Dialog).border_subtitle = Content(text)

    def action_leave(self) -> None:
        """Stop what runs; then close."""
        if self._worker is not None:
            self._worker.cancel()
        else:
            self.dismiss(None)
