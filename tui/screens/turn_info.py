"""When, where and at what cost a turn was answered."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tui.core.items import Outcome, Turn
from tui.core.text import visible_line
from tui.screens.base import ModalScreen
from tui.screens.turn_words import clock, span_words, usage_rows
from tui.widgets.dialog import Dialog

__all__ = ["TurnInfo", "facts"]

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
        & Dialog { width: 78; max-width: 95%; height: auto; max-height: 90%; padding: 1; overflow-y: auto; }
        & Horizontal { height: auto; }
        & .info--name { width: 13; color: $text-muted; }
        & .info--value { width: 1fr; height: auto; }
    }
    """

    def __init__(self, turn: Turn, number: int, count: int) -> None:
        super().__init__()
        self._turn = turn
        self._title = f"Turn {number} of {count}" if number else "A turn"

    def compose(self) -> ComposeResult:
        """The facts, one on a line."""
        # In columns, so that a long id goes on below itself and not below its name.
        rows = [
            Horizontal(
                Static(Content(name), classes="info--name", markup=False),
                Static(Content(visible_line(value)), classes="info--value", markup=False),
            )
            for name, value in facts(self._turn)
        ]
        yield Dialog(*rows, title=self._title, keys="Esc closes")

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
