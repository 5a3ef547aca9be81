"""Every command of the program, once: its binding id, default keys, palette entry and slash name.

The bindings, the command palette, the completion of slash commands and the help screen are all made
from `COMMANDS`, so that none of them can say something that is not so.
"""

from __future__ import annotations

from typing import Final

from tui.commands import conversation, looking, program, reading, tools, turn
from tui.commands.command import Command

__all__ = ["COMMANDS", "Command", "by_id", "by_slash", "split_slash"]

COMMANDS: Final[tuple[Command, ...]] = (
    *turn.COMMANDS,
    *conversation.COMMANDS,
    *tools.COMMANDS,
    *reading.COMMANDS,
    *looking.COMMANDS,
    *program.COMMANDS,
)

_BY_ID: Final = {command.id: command for command in COMMANDS}
_BY_SLASH: Final = {command.slash: command for command in COMMANDS if command.slash}


def by_id(command_id: str) -> Command | None:
    """The command with this binding id."""
    return _BY_ID.get(command_id)


def by_slash(name: str) -> Command | None:
    """The command with this slash name, given without the slash."""
    return _BY_SLASH.get(name)


def split_slash(text: str) -> tuple[str, str] | None:
    """Read `/name argument`; `None` where the text is a prompt.

    A prompt may begin with a slash (a path, a fraction): only one line that begins with a word of
    letters counts, so that a path is told from a mistyped command by the second slash in its word.
    """
    if not text.startswith("/") or "\n" in text.strip():
        return None
    name, _, argument = text[1:].strip().partition(" ")
    if not name.replace("-", "").isalpha():
        return None
    return name, argument.strip()
