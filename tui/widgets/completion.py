"""What the composer offers while a slash command or the name of a file is typed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from tui.commands import COMMANDS
from tui.core.text import visible_line
from tui.widgets.file_search import FoundFile, fuzzy, kind_of, list_folder, split_path, walk

__all__ = [
    "Completion",
    "complete_choices",
    "complete_command",
    "complete_mention",
    "complete_path",
    "fenced",
]

_MOST = 200


@dataclass(frozen=True, slots=True)
class Completion:
    """One line of the list.

    Attributes:
        text: What stands in the place of what was typed when it is chosen: of the whole text after a slash,
            of the name after an `@`.
        label: What is shown.
        detail: A quiet explanation beside it.
        final: Whether nothing more is to be typed, so that Enter may run it at once.
        path: Of a file named after an `@`: it is attached, or its text inserted.
    """

    text: str
    label: str
    detail: str = ""
    final: bool = True
    path: str = ""


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
    """Folders, PDFs and images that the typed path may become. Reads a folder: call it off the event loop."""
    folder, slash, start = typed.rpartition("/")
    folder = f"{folder}/" if slash else ""
    where = os.path.expanduser(folder) or "."
    found = [
        entry
        for entry in list_folder(where, hidden=start.startswith("."))
        if start.lower() in entry.name.lower() and (entry.is_folder or kind_of(entry.name))
    ]
    found.sort(key=lambda entry: (entry.is_folder, not entry.name.lower().startswith(start.lower())))
    return tuple(
        Completion(
            f"/{command} {folder}{entry.name}" + ("/" if entry.is_folder else ""),
            entry.shown,
            "folder" if entry.is_folder else kind_of(entry.name),
            final=not entry.is_folder,
        )
        for entry in found[:_MOST]
    )


def complete_mention(typed: str) -> tuple[Completion, ...]:
    """Files that the name typed after an `@` may mean, in the working folder and below, or by a path.

    Reads folders: call it off the event loop.
    """
    base = os.getcwd()
    folder, start = split_path(typed, base)
    inside = not typed or "/" in typed
    # A path is completed part by part; a name is looked for everywhere below.
    files = list_folder(folder, hidden=start.startswith(".")) if inside else walk(folder).files
    prefix = f"{typed.rpartition('/')[0]}/" if "/" in typed else ""
    return tuple(
        Completion(
            f"@{prefix}{file.path}" + ("/" if file.is_folder else ""),
            file.shown,
            _mention_detail(file),
            final=not file.is_folder,
            path="" if file.is_folder else os.path.join(folder, file.path),
        )
        for file in fuzzy(start, files, _MOST)
        # The rest of a name with blanks would not be read as a part of it.
        if not (file.is_folder and " " in file.path)
    )


def _mention_detail(file: FoundFile) -> str:
    if file.is_folder:
        return "folder"
    kind = kind_of(file.name)
    return f"{kind}, attached" if kind else "its text, inserted"


def fenced(name: str, text: str) -> str:
    """A file's text as a code block under its name; the fence is longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{visible_line(name)}:\n\n{fence}\n{text.rstrip()}\n{fence}\n"
