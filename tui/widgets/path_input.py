"""A line for the path of a file: Tab completes it from what lies in the folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from tui.widgets.file_search import FoundFile, list_folder, split_path

__all__ = ["PathInput", "completed"]


def completed(typed: str, base: str) -> tuple[str, tuple[FoundFile, ...]]:
    """What Tab makes of a typed path, and the names it may go on to; empty when there is one or none.

    Args:
        typed: As it stands; `~` and relative paths are understood.
        base: The folder that a relative path starts from.
    """
    folder, start = split_path(typed, base)
    head = typed.removesuffix(start) if start else typed
    if head and not head.endswith("/"):
        head += "/"
    found = tuple(
        entry
        for entry in list_folder(folder, hidden=start.startswith("."))
        if entry.path.startswith(start) and entry.path.isprintable()
    )
    if not found:
        return typed, ()
    if len(found) == 1:
        return head + found[0].path + ("/" if found[0].is_folder else ""), ()
    names = [entry.path for entry in found]
    least, most = min(names), max(names)
    same = next((at for at, letter in enumerate(least) if most[at : at + 1] != letter), len(least))
    return head + least[:same], found


class PathInput(Input):
    """Where a path is typed; posts `Offered` with what a name could go on to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete the path", show=False, priority=True, id="path.complete"),
    ]

    class Offered(Message):
        """Tab was pressed."""

        def __init__(self, choices: Sequence[FoundFile]) -> None:
            super().__init__()
            self.choices = tuple(choices)

    def action_complete(self) -> None:
        """Complete as far as it is certain."""
        self.value, choices = completed(self.value, os.getcwd())
        self.cursor_position = len(self.value)
        self.post_message(self.Offered(choices))
