"""The summary of a conversation, to be read and changed before the conversation goes on from it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Static, TextArea

from tui.core.compaction import Summary
from tui.core.text import storable, visible
from tui.screens.base import ModalScreen
from tui.widgets.dialog import Dialog
from tui.widgets.safe_text_area import SafeTextArea

__all__ = ["SummaryScreen"]


class SummaryScreen(ModalScreen[Summary | None]):
    """Gives the summary as it was changed, or `None` when it is not wanted.

    Args (of the constructor):
        summary: What the model wrote.
        turns: How many turns it stands for.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "discard", "Discard", show=False, id="summary.discard"),
        Binding("ctrl+s", "take", "Continue", show=False, priority=True, id="summary.take"),
    ]
    DEFAULT_CSS = """
    SummaryScreen {
        align: center middle;
        & Dialog { max-width: 110; }
        & Static { height: auto; color: $text-muted; padding: 0 1; }
        & .summary--title { color: $text-primary; text-style: bold; }
        & TextArea { height: 1fr; min-height: 3; border: none; padding: 0 1; background: $panel; }
        & TextArea:focus { border: none; background: $surface-lighten-1; }
        & #summary-facts { height: 2fr; }
        & #summary-problem { color: $text-error; display: none; }
        & Horizontal { height: 1; align-horizontal: right; margin-top: 1; }
        & Button { margin-left: 2; }
    }
    """

    def __init__(self, summary: Summary, turns: int) -> None:
        super().__init__()
        self._turns = turns
        self._facts = _area(_lines(summary.durable_facts), "summary-facts")
        self._constraints = _area(_lines(summary.policy_constraints), "summary-constraints")
        self._action = _area(visible(summary.next_action), "summary-action")

    def compose(self) -> ComposeResult:
        """The three parts, each with its title, and the two answers."""
        what = "turn stays" if self._turns == 1 else f"{self._turns} turns stay"
        yield Dialog(
            Static(Content("Facts that last, one on a line"), classes="summary--title"),
            self._facts,
            Static(Content("Rules that hold, one on a line"), classes="summary--title"),
            self._constraints,
            Static(Content("What is to be done next"), classes="summary--title"),
            self._action,
            Static("", id="summary-problem", markup=False),
            Static(
                Content(
                    f"The next request carries this instead of the conversation; its {what} in the history."
                ),
            ),
            Horizontal(
                Button(Content("Discard"), id="summary-discard", compact=True),
                Button(Content("Continue from it"), id="summary-take", variant="primary", compact=True),
            ),
            title="Continue from a summary",
            keys="Tab next part   Ctrl+S continue   Esc discard",
        )

    def on_mount(self) -> None:
        """Enter continues: the summary is good as it is, most of the time."""
        self.query_one("#summary-take", Button).focus()

    @property
    def summary(self) -> Summary:
        """As it is now; empty lines are left out."""
        return Summary(
            _entries(self._facts), _entries(self._constraints), storable(self._action.text.strip())
        )

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "summary-take":
            self.action_take()
        else:
            self.action_discard()

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.query_one("#summary-problem", Static).display = False

    def action_take(self) -> None:
        """Go on from it, unless it says nothing."""
        if self.summary.is_empty:
            problem = self.query_one("#summary-problem", Static)
            problem.update(Content("It says nothing: there would be nothing to go on from."))
            problem.display = True
            return
        self.dismiss(self.summary)

    def action_discard(self) -> None:
        """Leave the conversation as it is."""
        self.dismiss(None)


def _area(text: str, name: str) -> TextArea:
    return SafeTextArea(
        text,
        id=name,
        soft_wrap=True,
        tab_behavior="focus",
        show_line_numbers=False,
        highlight_cursor_line=False,
    )


def _lines(entries: tuple[str, ...]) -> str:
    """One entry a line, safe for a terminal: what a model wrote is foreign text."""
    return "\n".join(visible(" ".join(entry.split())) for entry in entries)


def _entries(area: TextArea) -> tuple[str, ...]:
    return tuple(storable(text) for line in area.text.split("\n") if (text := line.strip()))
