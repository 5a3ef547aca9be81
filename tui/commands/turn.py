"""What can be done with the turn that is written, running or over."""

from __future__ import annotations

from typing import Final

from tui.commands.command import Command

__all__ = ["COMMANDS"]

_GROUP: Final = "The turn"

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "turn.attach",
        "Attach a PDF",
        "Completes paths; a pasted or dropped path works too.",
        _GROUP,
        "screen.begin_attach",
        "f3",
        "attach",
        "PATH",
        chord="a a",
    ),
    Command(
        "turn.detach",
        "Remove an attachment",
        "By its number, or the last one.",
        _GROUP,
        "screen.detach",
        "",
        "detach",
        "[NUMBER]",
        chord="a d",
    ),
    Command(
        "turn.preview",
        "Preview",
        "What would go over the wire, in each mode side by side, before it is sent.",
        _GROUP,
        "screen.preview",
        "f5",
        "preview",
        "[TEXT]",
        chord="p",
    ),
    Command(
        "turn.stop",
        "Stop the answer",
        "What has arrived is kept and marked as stopped.",
        _GROUP,
        "screen.stop_turn",
        "escape",
        "stop",
        chord="t s",
    ),
    Command(
        "background.toggle",
        "Next turns in the background",
        "They go on at the server when the program ends; the answers come when they are done. Or no longer.",
        _GROUP,
        "screen.toggle_background",
        "f8",
        "background",
        chord="b b",
    ),
    Command(
        "turn.requeue",
        "Take back what is queued",
        "A queued prompt returns to the composer.",
        _GROUP,
        "screen.take_back",
        "alt+up",
        chord="t q",
    ),
    Command(
        "turn.regenerate",
        "Answer once more",
        "The last turn, or the one of this number; the first answer stays, as a branch of its own.",
        _GROUP,
        "screen.turn('again')",
        "",
        "regenerate",
        "[NUMBER]",
        chord="r",
    ),
    Command(
        "turn.edit",
        "Edit and send again",
        "The last prompt, or that of this turn, goes to the composer; the turn stays, as its own branch.",
        _GROUP,
        "screen.turn('edit')",
        "",
        "edit",
        "[NUMBER]",
        chord="e",
    ),
    Command(
        "turn.fork",
        "Fork",
        "Goes on after the turn of this number, or before the last one; what was there stays.",
        _GROUP,
        "screen.turn('fork')",
        "",
        "fork",
        "[NUMBER]",
        chord="f",
    ),
)
