"""Estimates of the next turn for open conversations: what is learned stays with each of them.

Part of the session layer; the arithmetic is in `core/estimate.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

from tui.config.settings import Settings
from tui.core.attachments import Attachment
from tui.core.budget import BudgetDecision
from tui.core.catalogue import Catalogue
from tui.core.continuation import Request
from tui.core.conversation import Conversation
from tui.core.effective_context import is_create, request_object
from tui.core.errors import OutcropError
from tui.core.estimate import Estimator, TurnEstimate
from tui.core.exchange import Exchange
from tui.core.items import ContinuationMode, Turn, user_message
from tui.core.text import storable
from tui.session.spending import Spending

__all__ = ["Estimates"]

_MODES: tuple[ContinuationMode, ...] = ("stateful", "stateless")
_FILE_MARKS = ('"input_file"', '"input_image"')


class Reach(Protocol):
    """What is needed of the session."""

    spending: Spending

    @property
    def settings(self) -> Settings:
        """The budgets."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """The models known."""
        ...

    def conversation(self, conversation_id: str) -> Conversation:
        """An open conversation."""
        ...

    def preview(
        self,
        conversation_id: str,
        prompt: str,
        attachments: Sequence[Attachment] = (),
        mode: ContinuationMode | None = None,
    ) -> Request:
        """What would be sent."""
        ...

    def exchanges(self, conversation_id: str) -> list[Exchange]:
        """Its exchanges, oldest first."""
        ...

    async def attachments_of(self, conversation_id: str, turn_id: str) -> list[Attachment]:
        """The files that went with a turn."""
        ...


class Estimates:
    """One estimator for each conversation.

    Args:
        reach: The session.
        now: Wall clock, seconds since the epoch.
    """

    def __init__(self, reach: Reach, now: Callable[[], float]) -> None:
        self._reach = reach
        self._now = now
        self._files: dict[str, int] = {}
        self._instructions: dict[str, str | None] = {}
        self._estimators: dict[str, Estimator] = {}

    async def of(
        self, conversation_id: str, prompt: str, attachments: Sequence[Attachment] = ()
    ) -> dict[ContinuationMode, TurnEstimate]:
        """What sending this now is likely to take, in each continuation mode; nothing is sent.

        The first call for a long conversation reads it, in a thread; later ones read what is new.
        """
        conversation = self._reach.conversation(conversation_id)
        await self._know_files(conversation)
        return await asyncio.to_thread(self._estimate, conversation, prompt, tuple(attachments))

    async def budget(
        self, conversation_id: str, prompt: str, attachments: Sequence[Attachment] = ()
    ) -> BudgetDecision:
        """Whether the budgets let this go; ask it before each send. Nothing is sent.

        Raises:
            StoreError: The history, which knows what was spent, cannot be read.
        """
        settings = self._reach.settings
        if settings.budget_per_conversation is None and settings.budget_per_day is None:
            return BudgetDecision()
        mode = self._reach.conversation(conversation_id).continuation
        ahead = (await self.of(conversation_id, prompt, attachments))[mode].cost
        return await self._reach.spending.decision(conversation_id, ahead)

    async def _know_files(self, conversation: Conversation) -> None:
        for turn in conversation.path():
            if turn.id in self._files or not _has_files(turn):
                continue
            self._files[turn.id] = 0
            with suppress(OutcropError, KeyError):
                files = await self._reach.attachments_of(conversation.id, turn.id)
                self._files[turn.id] = sum(file.estimated_tokens for file in files)

    def _sent_with(self, conversation_id: str, turn: Turn) -> str | None:
        """The instructions in the body that was sent for a turn; `None` where that is not recorded."""
        if turn.id not in self._instructions:
            sent = (one for one in self._reach.exchanges(conversation_id) if one.turn_id == turn.id)
            body = next((body for one in sent if is_create(one) and (body := request_object(one))), None)
            said = None if body is None or "input" not in body else str(body.get("instructions") or "")
            self._instructions[turn.id] = said
        return self._instructions[turn.id]

    def _estimate(
        self, conversation: Conversation, prompt: str, attachments: tuple[Attachment, ...]
    ) -> dict[ContinuationMode, TurnEstimate]:
        estimator = self._estimators.get(conversation.id)
        if estimator is None:
            sent_with = partial(self._sent_with, conversation.id)
            estimator = Estimator(lambda turn: self._files.get(turn.id, 0), sent_with)
            self._estimators[conversation.id] = estimator
        estimator.learn(conversation)
        files = sum(attachment.estimated_tokens for attachment in attachments)
        items = [user_message(storable(prompt))] if prompt or attachments else []
        now = self._now()
        found: dict[ContinuationMode, TurnEstimate] = {}
        for mode in _MODES:
            # The files' content makes no difference to the plan, and base64 of megabytes takes its time.
            request = self._reach.preview(conversation.id, prompt, (), mode)
            model = self._reach.catalogue.model(request.target.model)
            found[mode] = estimator.estimate(conversation, request, items, files, model, now)
        return found


def _has_files(turn: Turn) -> bool:
    return any(mark in item.text for item in turn.input for mark in _FILE_MARKS)
