"""Sending a request again, once or several times: how often, what it costs, what each came to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from time import time
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Label

from tui.core import figures
from tui.core.errors import OutcropError
from tui.core.exchange import Exchange
from tui.core.replays import Replay, replay_of, spans_of
from tui.crash import report
from tui.screens.list_dialog import ListDialog
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.dialog import Dialog
from tui.widgets.rows import Mark, Row

if TYPE_CHECKING:
    from textual.worker import Worker

__all__ = ["ReplayRequest", "Sender"]

_COLUMNS: Final = (
    Column("number", "#", 3, 4, 0, right=True),
    Column("outcome", "outcome", 10, 10, 0),
    Column("status", "stat", 4, 4, 0),
    Column("first", "1st byte", 8, 9, 1, right=True),
    Column("text", "1st text", 8, 9, 0, right=True),
    Column("total", "total", 8, 9, 0, right=True),
    Column("cached", "cached", 7, 9, 0, right=True),
    Column("input", "in", 7, 9, 2, right=True),
    Column("output", "out", 6, 8, 3, right=True),
    Column("written", "written", 7, 9, 5, right=True),
    Column("attempts", "tries", 5, 5, 4, right=True),
)
_MARKS: Final[dict[str, Mark]] = {
    "completed": "success",
    "incomplete": "warning",
    "failed": "error",
    "cancelled": "warning",
    "running": "accent",
}
_SPANS: Final = {"first_byte": "first byte", "first_text": "first text", "total": "total"}
_COUNTS: Final = {"cached_tokens": "cached", "input_tokens": "in", "output_tokens": "out"}
_LOOK_EVERY: Final = 0.1
_ASKING: Final = "Enter send   Esc close"
_RUNNING: Final = "Esc stops"
_DONE: Final = "Enter show in the inspector   a again   Esc close"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends.

    Attributes:
        send: Sends so many times and yields what each came to.
        newest: The exchange that was begun last; `None` for none.
        cost: What so many cost, as a sentence.
    """

    send: Callable[[int], AsyncGenerator[Replay, None]]
    newest: Callable[[], Exchange | None]
    cost: Callable[[int], str]


class _Table:
    """What each came to; a running one changes from look to look."""

    def __init__(self, replays: Sequence[Replay], running: Replay | None) -> None:
        self.rows = [*replays, *([running] if running else [])]

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int, width: int) -> Row:
        replay = self.rows[index]
        bad = replay.status is not None and replay.status >= 400
        status: Mark = "dim" if replay.status is None else "error" if bad else "success"
        cells: dict[str, Cell] = {
            "number": (str(index + 1), "dim"),
            "outcome": (replay.outcome, _MARKS.get(replay.outcome)),
            "status": (figures.UNKNOWN if replay.status is None else str(replay.status), status),
            "first": (figures.seconds(replay.first_byte), None),
            "text": (figures.seconds(replay.first_text), None),
            "total": (figures.seconds(replay.total), "key"),
            "cached": (_count(replay.cached_tokens), "number"),
            "written": (_count(replay.written_tokens), None),
            "input": (_count(replay.input_tokens), None),
            "output": (_count(replay.output_tokens), None),
            "attempts": (str(replay.attempts), "warning" if replay.attempts > 1 else "dim"),
        }
        return table_row(layout(_COLUMNS, width), cells)


def _count(number: float | None) -> str:
    return figures.UNKNOWN if number is None else f"{number:,.0f}"


def _span_lines(replays: Sequence[Replay]) -> list[str]:
    """Least, median and most over those that completed."""
    spans = {span.name: span for span in spans_of([row for row in replays if row.outcome == "completed"])}
    lines: list[str] = []
    for names, write in ((_SPANS, figures.seconds), (_COUNTS, _count)):
        found = [(words, spans[name]) for name, words in names.items() if name in spans]
        if found:
            lines.append(
                " · ".join(
                    f"{words} {write(span.least)} / {write(span.middle)} / {write(span.most)}"
                    for words, span in found
                )
            )
    return ["Least / median / most of the completed:", *lines] if lines else []


class ReplayRequest(ListDialog[str | None]):
    """Gives the id of the exchange to show in the inspector, or `None`.

    Args (of the constructor):
        title: Which request it is.
        sender: Who sends it.
        times: How often, at first.
        ask: Whether to ask before anything is sent; without, it is sent at once and shown when it ended.
    """

    NAME = "replay"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Stop, then close", show=False, id="replay.leave"),
        Binding("a", "again", "Send again", show=False, id="replay.again"),
    ]
    DEFAULT_CSS = """
    ReplayRequest {
        & Dialog { max-width: 110; max-height: 32; }
        & #replay-ask { height: 1; margin-bottom: 1; }
        & #replay-ask Label { width: auto; padding: 0 1; color: $text-muted; }
        & #replay-times { width: 8; }
        & .dialog--detail { min-height: 4; }
    }
    """

    def __init__(self, title: str, sender: Sender, *, times: int = 1, ask: bool = True) -> None:
        super().__init__()
        self._title = title
        self._sender = sender
        self._ask = ask
        self._replays: list[Replay] = []
        self._worker: Worker[None] | None = None
        self._left = 0
        self._seen: set[str] = set()
        self._problem = ""
        self._input = Input(str(times), restrict=r"[0-9]{0,3}", id="replay-times", select_on_focus=True)

    def compose(self) -> ComposeResult:
        """How often, then the table."""
        asking = Horizontal(Label("How often"), self._input, Label("1 to 999"), id="replay-ask")
        asking.display = self._ask
        yield self._framed(asking, title=self._title, keys=_ASKING)

    def on_mount(self) -> None:
        """Ask, or begin."""
        self._draw()
        self.set_interval(_LOOK_EVERY, self._look)
        if self._ask:
            self._input.focus()
            self._price()
        else:
            self._begin(1)

    @property
    def _times(self) -> int:
        return int(self._input.value) if self._input.value.isdecimal() else 0

    # ---- asking

    @on(Input.Changed, "#replay-times")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._worker is None:
            self._price()

    def _price(self) -> None:
        if self._times:
            self._say(f"{self._sender.cost(self._times)}\nEnter sends it, unchanged, one after the other.")
        else:
            self._say("How often? A number from 1 on.", "$text-warning")

    @on(Input.Submitted, "#replay-times")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._times and self._worker is None:
            self._begin(self._times)

    def action_again(self) -> None:
        """Ask once more; the table goes on."""
        if self._worker is None and self._ask:
            self._input.disabled = False
            self._input.focus()
            self._keys(_ASKING)
            self._price()

    # ---- sending

    def _begin(self, times: int) -> None:
        self._left = times
        self._problem = ""
        newest = self._sender.newest()
        self._seen = {newest.id} if newest else set()
        self._input.disabled = True
        self._list.focus()
        self._keys(_RUNNING)
        self._worker = self.run_worker(
            partial(self._send, times),
            group="replay",
            name="replay",
            description="sends",
            exit_on_error=False,
        )
        self._draw()
        self._describe()

    async def _send(self, times: int) -> None:
        stopped = False
        try:
            async with aclosing(self._sender.send(times)) as replays:
                async for replay in replays:
                    self._replays.append(replay)
                    self._seen.add(replay.exchange_id)
                    self._left -= 1
                    self._draw()
        except OutcropError as error:
            self._problem = str(error)
        except asyncio.CancelledError:
            stopped = True
            raise
        except Exception as error:  # The worker's edge: a fault of ours must not take the program down.
            self._problem = report(error)
        finally:
            self._ended(stopped)

    def _ended(self, stopped: bool) -> None:
        self._worker = None
        running = self._on_its_way()
        if stopped and running is not None:
            self._replays.append(running)
        if not self.is_attached:
            return
        if stopped:
            self._problem = f"Stopped; {self._left:,} {'was' if self._left == 1 else 'were'} left."
        if not self._ask and not self._problem and self._replays:
            self.dismiss(self._replays[-1].exchange_id)
            return
        self._keys(_DONE if self._ask else "Enter show in the inspector   Esc close")
        self._draw()
        self._describe()

    def _on_its_way(self) -> Replay | None:
        """The one on its way, as far as it has come."""
        newest = self._sender.newest()
        if newest is None or newest.id in self._seen:
            return None
        replay = replay_of(newest)
        if replay.total is not None:
            return replay
        return replace(replay, total=max(0.0, time() - newest.started_at))

    def _look(self) -> None:
        if self._worker is not None:
            self._draw()
            self._describe()

    # ---- the table

    def _titles_row(self, width: int) -> Row:
        return titles_row(_COLUMNS, width)

    def _draw(self) -> None:
        running = self._on_its_way() if self._worker is not None else None
        table = _Table(self._replays, running)
        if not len(table) or self.has_class("-empty"):
            self._show_rows(table, len(table) - 1, "Nothing has been sent yet.")
        else:
            self._list.replace(table)

    def _describe(self) -> None:
        """How it goes, the least, median and most so far, and why the one under the cursor failed."""
        if self._worker is None and not self._input.disabled and self._ask:
            return
        first = self._problem
        if self._worker is not None:
            first = f"Sending; {self._left:,} to go."
        lines = _span_lines(self._replays) if len(self._replays) > 1 else []
        at = self._list.cursor
        if at is not None and at < len(self._replays) and (error := self._replays[at].error):
            lines.insert(0, error)
        self._say("\n".join(lines), above=first)

    def _choose(self) -> None:
        at = self._list.cursor
        if self._worker is None and at is not None and at < len(self._replays):
            self.dismiss(self._replays[at].exchange_id)

    def _keys(self, text: str) -> None:
        self.query_one(Dialog).border_subtitle = Content(text)

    def action_leave(self) -> None:
        """Stop what is on its way; then close."""
        if self._worker is not None:
            self._worker.cancel()
        else:
            self.dismiss(None)
