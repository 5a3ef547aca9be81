"""What sending the draft is likely to take, in a corner of the composer."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.widgets import Static

from tui.core import figures
from tui.core.estimate import TurnEstimate
from tui.messages import CommandRequested

__all__ = ["DraftHint", "hint_text"]


def hint_text(estimate: TurnEstimate) -> str:
    """`~1,240 tok  ~$0.0040`; without a known price the tokens alone."""
    words = f"~{estimate.input_tokens:,} tok"
    if estimate.cost is not None:
        words += f"  {figures.money(estimate.cost.usd, estimate=True)}"
    return words


class DraftHint(Static):
    """One line that lies over the composer's empty last row; a click opens the preview."""

    DEFAULT_CSS = """
    DraftHint {
        layer: hint;
        dock: bottom;
        width: 1fr;
        height: 1;
        margin-left: 1;
        padding: 0 2;
        text-align: right;
        color: $text-muted;
        background: $surface;
        display: none;
        &.-any { display: block; }
        &:hover { color: $text-primary; }
    }
    """

    def __init__(self) -> None:
        super().__init__("", id="draft-hint", markup=False)
        self.tooltip = "What sending this takes, estimated: the whole input, and the likely cost."

    def show(self, estimate: TurnEstimate | None) -> None:
        """Show an estimate, or nothing."""
        self.update(Content(hint_text(estimate) if estimate else ""))
        self.set_class(estimate is not None, "-any")

    def on_click(self, event: events.Click) -> None:
        """More about it."""
        event.stop()
        self.post_message(CommandRequested("turn.preview"))
