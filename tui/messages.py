"""Messages between widgets and screens that no single widget owns."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

__all__ = [
    "AttachmentMoved",
    "AttachmentOpened",
    "AttachmentRemoved",
    "ClipboardWanted",
    "CommandRequested",
    "FilesGiven",
]


@dataclass
class CommandRequested(Message):
    """A command is to run: a clicked hint, or a slash command.

    Attributes:
        command_id: Binding id of the command.
        argument: What followed a slash command; empty for none.
    """

    command_id: str
    argument: str = ""


@dataclass
class FilesGiven(Message):
    """Paths of files were pasted or dropped, to be attached."""

    paths: tuple[str, ...]


@dataclass
class AttachmentRemoved(Message):
    """The chip at this index is to go."""

    index: int


@dataclass
class AttachmentMoved(Message):
    """The chip at this index is to change places with the one `step` further on."""

    index: int
    step: int


@dataclass
class AttachmentOpened(Message):
    """There is more to be said of the attachment at this index."""

    index: int


@dataclass
class ClipboardWanted(Message):
    """What the system's clipboard holds is to be pasted into the composer."""
