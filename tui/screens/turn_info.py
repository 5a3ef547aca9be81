"""When, where and at what cost a turn was answered."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.core.items import Outcome, Turn, Usage
from tui.core.text import visible_line
from tui.widgets.dialog import Dialog

__all__ = ["TurnInfo", "clock", "facts", "span_words"]

_OUTCOMES = {
    Outcome.COMPLETED: "completed",
    Outcome.INCOMPLETE: "incomplete",
    Outcome.FAILED: "failed",
    Outcome.CANCELLED: "stopped",
}


class TurnInfo(ModalScreen[None]):
    """The facts of one turn, to be read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,i,q", "dismiss", "Close", show=False, id="info.close")
    ]
    DEFAULT_CSS = """
    TurnInfo {
        align: center middle;
        & Dialog { width: 72; max-width: 90%; height: auto; max-height: 90%; padding: 1 2; overflow-y: auto; }
        & Static { height: auto; }
    }
    """

    def __init__(self, turn: Turn, number: int, count: int) -> None:
        super().__init__()
        self._turn = turn
        self._title = f"Turn {number} of {count}" if number else "A turn"

    def compose(self) -> ComposeResult:
        """The facts, one on a line."""
        rows = facts(self._turn)
        width = max(len(name) for name, _ in rows) + 2
        lines = [
            Content.assemble((name.ljust(width), "$text-muted"), visible_line(value)) for name, value in rows
        ]
        yield Dialog(Static(Content("\n").join(lines)), title=self._title, keys="Esc closes")

    def on_click(self) -> None:
        """A click anywhere closes it."""
        self.dismiss()


def facts(turn: Turn) -> list[tuple[str, str]]:
    """What is known of a turn, name and value; what is not known is left out."""
    rows = [("Sent", clock(turn.created_at, day=True))]
    if turn.outcome is not None:
        took = f" after {span_words(turn.ended_at - turn.created_at)}" if turn.ended_at else ""
        rows.append(("Outcome", f"{_OUTCOMES[turn.outcome]}{took}"))
    elif turn.summary:
        rows.append(("Outcome", "a summary of other turns"))
    else:
        rows.append(("Outcome", "still arriving"))
    if turn.target is not None:
        rows.append(("Model", turn.target.model))
        rows.append(("Region", f"{turn.target.region} · {turn.target.endpoint}"))
    kept = ", kept by the server" if turn.stored else ""
    way = ", in the background" if turn.background else ""
    rows.append(("Continuation", f"{turn.continuation}{kept}{way}"))
    if turn.usage is not None:
        rows += usage_rows(turn.usage)
    if turn.response_id:
        rows.append(("Response", turn.response_id))
    if turn.request_id:
        rows.append(("Request", turn.request_id))
    if turn.error:
        rows.append(("Said", turn.error))
    return rows


def usage_rows(usage: Usage) -> list[tuple[str, str]]:
    """Token counts in words; what the server did not say is left out."""
    rows: list[tuple[str, str]] = []
    if usage.input_tokens is not None:
        inside = [
            f"{count:,} {name}"
            for count, name in (
                (usage.cached_tokens, "from the cache"),
                (usage.cache_write_tokens, "written to it"),
            )
            if count
        ]
        rows.append(("Input", f"{usage.input_tokens:,} tokens{_of(inside)}"))
    if usage.output_tokens is not None:
        inside = [f"{usage.reasoning_tokens:,} of them reasoning"] if usage.reasoning_tokens else []
        rows.append(("Output", f"{usage.output_tokens:,} tokens{_of(inside)}"))
    return rows


def _of(inside: list[str]) -> str:
    return f" ({', '.join(inside)})" if inside else ""


def clock(seconds: float, *, day: bool = False) -> str:
    """A moment as the clock on the wall has it: `14:05`, with the day if it is asked for or not today."""
    moment = datetime.fromtimestamp(seconds).astimezone()
    if day:
        return f"{moment:%Y-%m-%d %H:%M:%S}"
    today = datetime.now().astimezone().date() == moment.date()
    return f"{moment:%H:%M}" if today else f"{moment:%Y-%m-%d %H:%M}"


def span_words(seconds: float) -> str:
    """A stretch of time as people say it: `3.2 s`, `4 min 10 s`, `2 h 5 min`."""
    seconds = max(0.0, seconds)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
