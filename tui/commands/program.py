"""What concerns the program as a whole."""

from __future__ import annotations

from typing import Final

from tui.commands.command import Command

__all__ = ["COMMANDS"]

_GROUP: Final = "The program"

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "palette.open",
        "Command palette",
        "Everything on this page, found by typing a part of its name.",
        _GROUP,
        "app.command_palette",
        "ctrl+p",
        chord="x",
    ),
    Command(
        "token.enter",
        "Bedrock API key",
        "Enter the bearer token again; it is never shown.",
        _GROUP,
        "screen.ask_token",
        "",
        "token",
        chord="k",
    ),
    Command(
        "token.aws",
        "AWS profile",
        "Sign with a profile of ~/.aws (SigV4) instead of sending a key; off sends the key.",
        _GROUP,
        "screen.pick_aws_profile",
        "",
        "aws-profile",
        "[NAME|off]",
        chord="s k",
    ),
    Command(
        "theme.pick",
        "Theme",
        "Shows each theme as you move over it.",
        _GROUP,
        "app.pick_theme",
        "f9",
        "theme",
        "[NAME]",
        chord="s t",
    ),
    Command(
        "help.open",
        "Help",
        "Every key and command, searched as you type.",
        _GROUP,
        "app.open_help",
        "f1",
        "help",
        chord="question_mark",
    ),
    Command(
        "app.suspend",
        "Suspend",
        "Back to the shell; fg goes on. In a text the key undoes first what can be undone.",
        _GROUP,
        "app.suspend_process",
        "ctrl+z",
        chord="z",
    ),
    Command(
        "app.quit",
        "Quit",
        "An answer that is arriving is stopped and kept; the draft is kept too.",
        _GROUP,
        "app.leave",
        "ctrl+q",
        "quit",
        chord="q",
    ),
)
