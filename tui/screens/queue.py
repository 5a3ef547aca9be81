"""Prompts that wait for the present answer to end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.core.drafts import Draft, Span

if TYPE_CHECKING:
    from tui.core.attachments import Attachment
    from tui.core.exchange import Exchange
    from tui.core.items import Turn

__all__ = ["EditedRequest", "Queue", "Queued"]


@dataclass(frozen=True, slots=True)
class EditedRequest:
    """A recorded request that was edited and becomes a branch.

    Attributes:
        exchange: What it was made of.
        body: What is sent, byte for byte.
        anyway: Whether the check's findings were seen and it is sent all the same.
    """

    exchange: Exchange
    body: bytes
    anyway: bool = False


@dataclass(frozen=True, slots=True)
class Queued:
    """A prompt that waits for the present answer to end.

    Attributes:
        text: What the user typed.
        attachments: What goes with it.
        pastes: Which stretches of the text are long pastes, for when it comes back to the composer.
        edited: The body that is sent as it is; `None` for a turn that is planned.
        again: The turn that is answered once more, beside its first answer; `None` for a new prompt.
    """

    text: str
    attachments: tuple[Attachment, ...] = ()
    again: Turn | None = None
    pastes: tuple[Span, ...] = ()
    edited: EditedRequest | None = None

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
