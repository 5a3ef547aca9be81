"""Lines between the conversation and the composer that come and go: what waits, and what is queued."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from time import monotonic

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from tui.core.text import visible_line
from tui.messages import CommandRequested

__all__ = ["NoticeBar", "QueueLine"]

_QUEUED_SHOWN = 3
_ROWS, _SLACK = 3, 32
"""The most rows of a countdown, and cells that are lost where its words are broken."""


class NoticeBar(Static):
    """One line about the present: a countdown to the next attempt, a silence, how much is below."""

    DEFAULT_CSS = """
    NoticeBar {
        display: none;
        height: auto;
        max-height: 3;
        padding: 0 2;
        color: $text-warning;
        background: $background;
        &.-any { display: block; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._timer: Timer | None = None
        self._until = 0.0
        self._words = ""
        self._reason = ""
        self._stop_key = ""
        self._command = ""

    @property
    def text(self) -> str:
        """What it says; empty when it is not shown."""
        return self._words

    def say(self, text: str, command: str = "") -> None:
        """Show a line; a click on it runs `command`."""
        self._stop()
        self._command = command
        self._show(text)

    def count_down(self, seconds: float, reason: str, stop: str) -> None:
        """Show what is waited for and how long still; `stop` is the key that ends it."""
        self._stop()
        self._command = "turn.stop"
        self._until = monotonic() + seconds
        self._reason, self._stop_key = reason, stop
        self._timer = self.set_interval(0.5, self._tick)
        self._tick()

    def hush(self) -> None:
        """Show nothing."""
        self._stop()
        self._show("")

    def on_click(self, event: events.Click) -> None:
        """Do what the line is about."""
        event.stop()
        if self._command:
            self.post_message(CommandRequested(self._command))

    def _tick(self) -> None:
        left = max(0, ceil(self._until - monotonic()))
        tail = f"Next attempt in {left} s · {self._stop_key} stops" if left else "Trying again …"
        # A server's reason may be long; how long it takes and what stops it is to be seen all the same.
        width = self.content_size.width or self.screen.size.width - 4  # it has none while it is hidden
        room = max(40, _ROWS * width - len(tail) - _SLACK)
        reason = self._reason if cell_len(self._reason) <= room else f"{self._reason[: room - 1]}…"
        self._show(f"{reason}  {tail}")

    def _show(self, text: str) -> None:
        if text != self._words:
            # How much is below changes with every frame: the screen is laid out only for another height.
            stays = bool(text and self._words) and self._is_one_row(text) and self._is_one_row(self._words)
            self._words = text
            self.update(Content(visible_line(text)), layout=not stays)
            self.set_class(bool(text), "-any")

    def _is_one_row(self, text: str) -> bool:
        return cell_len(visible_line(text)) <= self.content_size.width

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


class QueueLine(Static):
    """The prompts that wait for the present answer to end."""

    DEFAULT_CSS = """
    QueueLine {
        display: none;
        height: auto;
        max-height: 3;
        padding: 0 2;
        color: $text-muted;
        background: $background;
        &.-any { display: block; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._prompts: tuple[tuple[str, int], ...] = ()

    def show(self, prompts: Sequence[tuple[str, int]]) -> None:
        """Show up to three of them, next first: text and how many files go with it."""
        self.set_class(bool(prompts), "-any")
        self._prompts = tuple(prompts)
        self._draw()

    def _draw(self) -> None:
        rows: list[Content] = []
        for number, (text, files) in enumerate(self._prompts[:_QUEUED_SHOWN], 1):
            last = number == min(_QUEUED_SHOWN, len(self._prompts))
            more = len(self._prompts) - number
            tail = f"  {'and ' + str(more) + ' more  ' if more else ''}↑ takes back" if last else ""
            also = f"  {files} file{'s' if files != 1 else ''}" if files else ""
            room = max(12, self.size.width - 10 - len(tail) - len(also)) if self.size.width else 50
            first = visible_line(" ".join(text.split())) or "no text"
            first = first if len(first) <= room else f"{first[: room - 1]}…"
            title = "Next  " if number == 1 else f"{number:>4}  "
            rows.append(
                Content.assemble(
                    (title, "bold $text-accent" if number == 1 else "dim"), first, (also + tail, "dim")
                )
            )
        self.update(Content("\n").join(rows))

    def on_resize(self) -> None:
        """Each prompt has one line of the width there is."""
        self._draw()

    def on_click(self, event: events.Click) -> None:
        """List what is queued."""
        event.stop()
        self.post_message(CommandRequested("queue.open"))
