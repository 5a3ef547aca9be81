"""What the composer offers while a slash command is typed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from tui.commands import COMMANDS
from tui.core.text import visible_line

__all__ = ["Completion", "complete_choices", "complete_command", "complete_path"]

_MOST = 200


@dataclass(frozen=True, slots=True)
class Completion:
    """One line of the list.

    Attributes:
        text: What the composer's whole text becomes when it is chosen.
        label: What is shown.
        detail: A quiet explanation beside it.
        final: Whether nothing more is to be typed, so that Enter may run it at once.
    """

    text: str
    label: str
    detail: str = ""
    final: bool = True


def complete_command(typed: str) -> tuple[Completion, ...]:
    """The commands whose name begins with, then those that contain, what follows the slash."""
    word = typed.removeprefix("/").lower()
    named = [command for command in COMMANDS if command.slash]
    first = [command for command in named if command.slash.startswith(word)]
    rest = [command for command in named if word in command.slash and command not in first]
    return tuple(
        Completion(
            f"/{command.slash}" + (" " if command.argument else ""),
            f"/{command.slash}" + (f" {command.argument}" if command.argument else ""),
            command.title,
            final=not command.argument or command.argument.startswith("["),
        )
        for command in [*first, *rest]
    )


def complete_choices(command: str, typed: str, choices: Iterable[tuple[str, str]]) -> tuple[Completion, ...]:
    """The choices (value, detail) that contain every word typed, for a command such as `model`."""
    words = typed.lower().split()
    hits = [choice for choice in choices if all(word in choice[0].lower() for word in words)]
    return tuple(Completion(f"/{command} {value}", value, detail) for value, detail in hits[:_MOST])


def complete_path(command: str, typed: str) -> tuple[Completion, ...]:
    """Folders and PDF files that the typed path may become. Reads a folder: call it off the event loop."""
    folder, _, start = typed.rpartition("/")
    folder = f"{folder}/" if "/" in typed else ""
    where = os.path.expanduser(folder) or "."
    entries: list[tuple[bool, str]] = []
    try:
        with os.scandir(where) as listing:
            for entry in listing:
                if entry.name.startswith(".") and not start.startswith("."):
                    continue
                is_folder = entry.is_dir()
                if start.lower() in entry.name.lower() and (is_folder or entry.name.lower().endswith(".pdf")):
                    entries.append((is_folder, entry.name))
    except OSError:
        return ()
    entries.sort(
        key=lambda entry: (entry[0], not entry[1].lower().startswith(start.lower()), entry[1].lower())
    )
    return tuple(
        Completion(
            f"/{command} {folder}{name}" + ("/" if is_folder else ""),
            visible_line(name) + ("/" if is_folder else ""),
            "folder" if is_folder else "PDF",
            final=not is_folder,
        )
        for is_folder, name in entries[:_MOST]
    )
