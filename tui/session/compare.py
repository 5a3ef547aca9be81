"""One prompt to several targets at once: each of them a conversation of its own.

Part of the session layer. A column is an ordinary conversation from the start, so that what it is asked
with, what it costs, its requests and its history are what they are everywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from tui.core.apis import mode_in_force, why_not_stateful
from tui.core.attachments import Attachment
from tui.core.budget import BudgetDecision, BudgetState, Limits, Spend, decide
from tui.core.catalogue import Catalogue
from tui.core.compare.figures import ColumnFigures, figures_of
from tui.core.compare.targets import LEAST, MOST, UNSET, Asked, TargetWords, labels, parse_targets, words_for
from tui.core.costs import total_cost
from tui.core.errors import InputError, OutcropError
from tui.core.estimate import TurnEstimate
from tui.core.events import SessionEvent, TurnEnded
from tui.core.items import Outcome, Target, Turn
from tui.session.session import Session
from tui.store.title import title_of

__all__ = ["Column", "Comparing", "check_count"]


_ORDER: Final[tuple[BudgetState, ...]] = ("ask", "warn", "ok")


@dataclass(slots=True)
class Column:
    """One target and its conversation.

    Attributes:
        words: What was said of the target.
        asked: The target as it is asked.
        conversation_id: The conversation, open in the session.
        said: What is taken otherwise than it was said, or is doubtful about it; sentences.
        estimate: What the prompt is likely to take there; `None` before it is estimated.
        error: Why nothing was sent, as a sentence.
        failure: The error behind it, for an exit status.
    """

    words: TargetWords
    asked: Asked
    conversation_id: str
    said: tuple[str, ...] = ()
    estimate: TurnEstimate | None = None
    error: str = ""
    failure: OutcropError | None = None


class Comparing:
    """Makes the columns of comparisons.

    Args:
        session: The session; it is ready.
        base_id: The conversation whose target, controls and instructions hold where nothing else is said.
            Its tools are not offered: nobody could be asked about several calls at once.
    """

    def __init__(self, session: Session, base_id: str) -> None:
        self._session = session
        self._base_id = base_id

    @property
    def base(self) -> Asked:
        """What is in force."""
        return self._asked(self._base_id)

    @property
    def catalogue(self) -> Catalogue:
        """The models known."""
        return self._session.catalogue

    def target(self, model: str, region: str, endpoint: str, api: str) -> Target:
        """A target as it would be sent."""
        return self._session.settings.target(model, region, endpoint, api)

    def _asked(self, conversation_id: str) -> Asked:
        conversation = self._session.conversation(conversation_id)
        target = self._session.target(conversation_id)
        mode = mode_in_force(conversation.continuation, target.api)
        return Asked(target, conversation.controls.effort, mode)

    def words_for(self, asked: Asked) -> TargetWords:
        """The words that mean a target here."""
        return words_for(asked, self.base, self._session.catalogue)

    async def column(self, words: TargetWords) -> Column:
        """Begin a conversation with a target; it is in memory only until something is sent.

        Raises:
            InputError: It cannot be sent so; the sentence says why.
            ConfigError: The region is none.
        """
        session = self._session
        begun = (await session.new(like=session.conversation(self._base_id))).id
        said: list[str] = []
        if words.model or words.region or words.endpoint or words.api:
            took = await session.set_target(
                begun, model=words.model, region=words.region, endpoint=words.endpoint, api=words.api
            )
            said.append(took)
        if words.mode is not None:
            await session.set_continuation(begun, words.mode)
        if words.effort is not None:
            effort = None if words.effort == UNSET else words.effort
            controls = session.conversation(begun).controls
            await session.set_controls(begun, replace(controls, effort=effort))
        asked = self._asked(begun)
        where = asked.target
        said.append(
            session.catalogue.pairing(where.model, where.region, where.endpoint, api=where.api).reason
        )
        said += session.unsent(begun)
        if words.mode == "stateful" and asked.mode == "stateless":
            said.append(why_not_stateful(where.api) or "")
        return Column(words, asked, begun, tuple(filter(None, said)))

    async def columns(self, text: str) -> list[Column]:
        """The columns of targets in words that are separated by commas.

        Raises:
            InputError: One cannot be read or sent so.
            ConfigError: A region is none.
        """
        return [await self.column(words) for words in parse_targets(text, self._session.catalogue)]

    async def estimate(
        self, columns: Sequence[Column], prompt: str, attachments: Sequence[Attachment] = ()
    ) -> None:
        """Estimate what each column is likely to take; nothing is sent."""
        for column in columns:
            found = await self._session.estimates.of(column.conversation_id, prompt, attachments)
            column.estimate = found[column.asked.mode]

    async def budget(self, columns: Sequence[Column]) -> BudgetDecision:
        """Whether the budgets let all columns go, by their estimates. Nothing is sent.

        Raises:
            StoreError: The history, which knows what was spent, cannot be read.
        """
        settings, spending = self._session.settings, self._session.spending
        if settings.budget_per_conversation is None and settings.budget_per_day is None:
            return BudgetDecision()
        costs = [column.estimate.cost if column.estimate else None for column in columns]
        limits = Limits(settings.budget_per_conversation, None)
        # Each is a conversation of its own, and has cost nothing so far; the day is that of all of them.
        found = [decide(limits, Spend(), Spend(), cost) for cost in costs]
        found.append(
            decide(Limits(None, settings.budget_per_day), Spend(), await spending.today(), total_cost(costs))
        )
        worst = min(found, key=lambda one: _ORDER.index(one.state))
        sentences = dict.fromkeys(sentence for one in found for sentence in one.sentences)
        return BudgetDecision(worst.state, tuple(sentences))

    async def name(self, columns: Sequence[Column], prompt: str) -> None:
        """Give each conversation its title: the prompt's first words and the target."""
        for column, label in zip(columns, labels([column.asked for column in columns]), strict=True):
            await self._session.rename(column.conversation_id, f"{title_of(prompt) or 'Files'} · {label}")

    def turn(self, column: Column) -> Turn | None:
        """The turn of a column; `None` before it is on disk."""
        path = self._session.conversation(column.conversation_id).turns.values()
        return next(iter(path), None)

    def figures(self, column: Column) -> ColumnFigures:
        """What a column came to so far."""
        turn = self.turn(column)
        if turn is None:
            return ColumnFigures(Outcome.FAILED if column.error else None, error=column.error)
        return figures_of(turn, self._session.exchanges(column.conversation_id), self._session.catalogue)

    async def send(
        self,
        columns: Sequence[Column],
        prompt: str,
        attachments: Sequence[Attachment] = (),
        tell: Callable[[Column, SessionEvent], None] = lambda column, event: None,
    ) -> None:
        """Send the prompt to all columns at once and wait until each has ended; `tell` gets their events.

        One that fails leaves the others alone. Cancelling stops all of them; what came is kept.
        """

        async def one(column: Column) -> None:
            try:
                events = self._session.send(column.conversation_id, prompt, attachments)
                async with aclosing(events) as steps:
                    async for event in steps:
                        if isinstance(event, TurnEnded):
                            column.failure = event.error
                        tell(column, event)
            except OutcropError as error:
                column.error, column.failure = str(error), error

        async with asyncio.TaskGroup() as group:
            for column in columns:
                group.create_task(one(column))


def check_count(columns: Sequence[object]) -> None:
    """Make sure that there are as many columns as can be compared.

    Raises:
        InputError: There are not.
    """
    if len(columns) < LEAST:
        raise InputError("A comparison takes two targets or more; name another one.")
    if len(columns) > MOST:
        raise InputError(f"A comparison takes {MOST} targets at most, not {len(columns)}.")
