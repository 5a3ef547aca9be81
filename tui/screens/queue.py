"""Prompts that wait for the present answer to end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.core.attachments import Attachment

__all__ = ["Queue", "Queued"]


@dataclass(frozen=True, slots=True)
class Queued:
    """A prompt that waits for the present answer to end."""

    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(slots=True)
class Queue:
    """The prompts that wait, by conversation."""

    waiting: dict[str, list[Queued]] = field(default_factory=dict[str, list[Queued]])

    def of(self, conversation_id: str) -> list[Queued]:
        """Those of one conversation, next first."""
        return self.waiting.setdefault(conversation_id, [])
