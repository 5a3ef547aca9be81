"""Ways to see more: the wire, the meter, the pane itself."""

from __future__ import annotations

from typing import Final

from tui.commands.command import Command

__all__ = ["COMMANDS"]

_GROUP: Final = "Looking closer"

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "responses.open",
        "Stored responses",
        "What the server keeps: each one to look at, and to delete there.",
        _GROUP,
        "screen.open_responses",
        "ctrl+s",
        "responses",
        chord="c r",
    ),
    Command(
        "inspector.toggle",
        "Request inspector",
        "The requests and responses as they were on the wire.",
        _GROUP,
        "screen.toggle_inspector",
        "f12,ctrl+g",
        "inspect",
        chord="i",
    ),
    Command(
        "pane.page_up",
        "Page up",
        "Scrolls the conversation; typing goes on in the composer.",
        _GROUP,
        "screen.scroll_pane('page_up')",
        "pageup",
        chord="g u",
    ),
    Command(
        "pane.page_down",
        "Page down",
        "Scrolls the conversation.",
        _GROUP,
        "screen.scroll_pane('page_down')",
        "pagedown",
        chord="g d",
    ),
    Command(
        "pane.top",
        "To the beginning",
        "The first turn of the conversation.",
        _GROUP,
        "screen.scroll_pane('home')",
        "ctrl+home",
        chord="g g",
    ),
    Command(
        "pane.end",
        "To the end",
        "And follow what arrives again.",
        _GROUP,
        "screen.scroll_pane('end')",
        "ctrl+end",
        chord="g e",
    ),
)
