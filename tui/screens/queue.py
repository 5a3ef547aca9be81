"""Prompts that wait for the present answer to end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.core.drafts import Draft, Span

if TYPE_CHECKING:
    from tui.core.attachments import Attachment
    from tui.core.items import Turn

__all__ = ["Queue", "Queued"]


@dataclass(frozen=True, slots=True)
class Queued:
    """A prompt that waits for the present answer to end.

    Attributes:
        text: What the user typed.
        attachments: What goes with it.
        pastes: Which stretches of the text are long pastes, for when it comes back to the composer.
        again: The turn that is answered once more, beside its first answer; `None` for a new prompt.
    """

    text: str
    attachments: tuple[Attachment, ...] = ()
    again: Turn | None = None
    pastes: tuple[Span, ...] = ()

    @classmethod
    def of_draft(cls, draft: Draft) -> Queued:
        """A prompt as it was written."""
        return cls(draft.text, draft.attachments, None, draft.pastes)

    @property
    def draft(self) -> Draft:
        """The prompt as it was written."""
        return Draft(self.text, self.pastes, self.attachments)


@dataclass(slots=True)
class Queue:
    """The prompts that wait, by conversation."""

    waiting: dict[str, list[Queued]] = field(default_factory=dict[str, list[Queued]])

    def of(self, conversation_id: str) -> list[Queued]:
        """Those of one conversation, next first."""
        return self.waiting.setdefault(conversation_id, [])
