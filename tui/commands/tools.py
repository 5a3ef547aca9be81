"""Tools that the model may call."""

from __future__ import annotations

from typing import Final

from tui.commands.command import Command

__all__ = ["COMMANDS"]

_GROUP: Final = "Tools"

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "tools.open",
        "Tools",
        "Which there are and which are on; 'continue' runs calls that were left, 'interrupted' tells so.",
        _GROUP,
        "screen.open_tools",
        "",
        "tools",
        "[continue|interrupted]",
        chord="t o",
    ),
    Command(
        "tools.choice",
        "Tool choice",
        "Whether the next answer may call tools: auto, required, none, or one tool by its name.",
        _GROUP,
        "screen.open_tools",
        "",
        "tool-choice",
        "VALUE",
        chord="t c",
    ),
    Command(
        "tools.preset",
        "Preset",
        "Tools, instructions and a schema that come with the program: brightcart.",
        _GROUP,
        "screen.open_tools",
        "",
        "preset",
        "NAME",
        chord="t p",
    ),
)
