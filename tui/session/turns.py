"""One turn, from the plan to its outcome: attempts, one mend at most, saving as it goes.

Part of the session layer; `session.py` decides what is sent, this module sees it through.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from tui.core.assembly import Assembly
from tui.core.continuation import Continuation, Options, Request
from tui.core.conversation import Conversation
from tui.core.errors import HttpStatusError, OutcropError
from tui.core.events import (
    AttemptEnded,
    AttemptStarted,
    Notice,
    RetryWaiting,
    SessionEvent,
    Silence,
    TurnEnded,
)
from tui.core.exchange import Exchange
from tui.core.items import Outcome, Turn
from tui.core.mending import Mended, mend

if TYPE_CHECKING:
    from tui.wire.api_client import WireEvent

__all__ = ["Sender", "TurnKeeper", "TurnPlan", "TurnRun", "encoded"]

# Streamed text is on disk at least every half second; the rest of it is for the write.
_SAVE_INTERVAL: Final = 0.4

_EMPTY_ANSWER: Final = "The server completed the answer without any text or tool call."
_REASONS: Final = {
    "max_output_tokens": "it reached the limit on output tokens",
    "content_filter": "the content filter stopped it",
    "guardrail_intervened": "a guardrail stopped it",
}


Sender = Callable[[Request, bytes, int], "AsyncGenerator[WireEvent, None]"]
"""Sends a request's body: the request, its body, the number of the first attempt."""


class TurnKeeper(Protocol):
    """What a run needs of the history."""

    async def save_turn(self, turn: Turn) -> None:
        """Put the turn on disk."""
        ...

    def save_partial(self, turn: Turn) -> None:
        """Put what has come so far on disk soon, without waiting for it."""
        ...

    def save_exchange(self, exchange: Exchange) -> None:
        """Put an ended exchange on disk soon."""
        ...

    def refused(self, parameter: str) -> None:
        """Remember that this model and endpoint refuse a parameter."""
        ...


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """What is needed to plan a turn, and to plan it once more.

    Attributes:
        conversation: The conversation as it was before the turn.
        continuation: Plans the request.
        options: Plans with these.
        send: Sends a request body: (request, turn id, first attempt's number) to wire events.
    """

    conversation: Conversation
    continuation: Continuation
    options: Options
    send: Sender
    now: Callable[[], float]


class TurnRun:
    """Runs one turn; `turn` is its state at any time, `request` what was planned last for it."""

    cancelled_by_server = "The server cancelled this answer."
    mends = True
    """Whether a refusal may be answered with a request that is planned otherwise."""

    def __init__(self, turn: Turn, plan: TurnPlan, keeper: TurnKeeper) -> None:
        self.turn = turn
        self.conversation = plan.conversation
        self.request: Request | None = None
        self._plan = plan
        self._keeper = keeper
        self._assembly = Assembly(store=True)
        self._saving: asyncio.TimerHandle | None = None
        self._exchange: Exchange | None = None
        self._attempts = 0
        self._request_id: str | None = None

    async def events(self) -> AsyncGenerator[SessionEvent, None]:
        """Yield the turn's events; `TurnEnded` is the last, except when the run is cancelled.

        A cancelled run ends the stream, keeps what came, and lets the cancellation go on.
        """
        error: OutcropError | None = None
        options = self._plan.options
        mended: Mended | None = None
        try:
            while True:
                request = self._plan.continuation.plan(self.conversation, self.turn.input, options)
                self.request = request
                try:
                    async with aclosing(self._attempt(request)) as events:
                        async for event in events:
                            yield event
                    break
                except HttpStatusError as refusal:
                    change = None
                    if self.mends and not self._assembly.text_began:
                        change = mend(refusal, request, self.conversation, options)
                    if change is None or not _is_first(change, mended):
                        error = refusal
                        break
                    mended = change
                    self.conversation, options = change.conversation, change.options
                    if change.refused:
                        self._keeper.refused(change.refused)
                    yield self.note(change.notice)
                except OutcropError as failure:
                    error = failure
                    break
            for event in self._last_words():
                yield event
            ended = TurnEnded(await self._end(error), error)
        except (asyncio.CancelledError, GeneratorExit):
            # What had failed before has failed, whoever has gone meanwhile.
            await self._end(error, cancelled=error is None)
            raise
        yield ended

    async def stopped(self) -> None:
        """End a turn that is on disk and was not sent: who asked for it has gone."""
        await self._end(None, cancelled=True)

    async def _attempt(self, request: Request) -> AsyncGenerator[SessionEvent, None]:
        self._assembly = Assembly(store=request.store)
        body = await encoded(request)
        async with aclosing(self._plan.send(request, body, self._attempts + 1)) as events:
            async for event in events:
                self._take(event)
                yield event

    def _take(self, event: WireEvent) -> None:
        match event:
            case AttemptStarted():
                self._attempts += 1
                self._exchange = event.exchange
            case AttemptEnded():
                self._keep(event.exchange)
                self._exchange = None
            case Notice():
                self.note(event.text)
            case RetryWaiting() | Silence():
                pass
            case _:
                self._assembly.take(event)
                self._schedule_save()

    def _keep(self, exchange: Exchange) -> None:
        usage = self._assembly.usage
        if usage is not None and usage.total_tokens is not None:
            exchange.usage_line = f"{usage.input_tokens or 0:,} in · {usage.output_tokens or 0:,} out"
        self._request_id = exchange.request_id
        self._keeper.save_exchange(exchange)

    def note(self, text: str) -> Notice:
        """Say something about the turn, now and whenever it is read again."""
        self.turn = replace(self.turn, notices=(*self.turn.notices, text))
        return Notice(text)

    def _last_words(self) -> list[Notice]:
        assembly = self._assembly
        said: list[str] = [assembly.guardrail] if assembly.guardrail else []
        if assembly.outcome is Outcome.COMPLETED and not assembly.output and not assembly.partial_text:
            said.append(_EMPTY_ANSWER)
        return [self.note(sentence) for sentence in said]

    def _schedule_save(self) -> None:
        if self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(_SAVE_INTERVAL, self._save)

    def _save(self) -> None:
        self._saving = None
        self._keeper.save_partial(self._assembly.onto(self.turn))

    def _cancel_saving(self) -> None:
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None

    async def _end(self, error: OutcropError | None, *, cancelled: bool = False) -> Turn:
        self._cancel_saving()
        if self._exchange is not None:
            self._keep(self._exchange)
        turn = replace(self._assembly.onto(self.turn), ended_at=self._plan.now(), request_id=self._request_id)
        turn = _with_outcome(turn, self._assembly, error, cancelled=cancelled)
        if self._assembly.outcome is Outcome.CANCELLED:
            turn = replace(turn, error=self.cancelled_by_server)
        self.turn = turn
        await self._keeper.save_turn(self.turn)
        return self.turn


def _is_first(change: Mended, before: Mended | None) -> bool:
    """A turn is planned anew once; see `Mended.follows_lost_chain` for the one pair that is one cause."""
    return before is None or (before.lost_chain and change.follows_lost_chain)


def _with_outcome(turn: Turn, assembly: Assembly, error: OutcropError | None, *, cancelled: bool) -> Turn:
    if assembly.outcome is None:
        if cancelled:
            return replace(turn, outcome=Outcome.CANCELLED, error="You stopped this answer.")
        if error is not None:
            return replace(turn, outcome=Outcome.FAILED, error=str(error))
        return replace(turn, outcome=Outcome.FAILED, error="The answer ended without saying how.")
    sentence = None
    if assembly.outcome is Outcome.FAILED:
        sentence = f"The server failed: {assembly.error or 'it gave no reason'}"
    elif assembly.outcome is Outcome.INCOMPLETE:
        reason = _REASONS.get(assembly.error or "", assembly.error or "the server gave no reason")
        sentence = f"The answer is incomplete: {reason}."
    return replace(turn, outcome=assembly.outcome, error=sentence)


async def encoded(request: Request, *, stream: bool = True) -> bytes:
    """Serialize the request; a large one in a thread, so that keys go on being answered."""
    if sum(len(item.text) for item in request.items) < 256_000:
        return request.encode(stream=stream)
    return await asyncio.to_thread(request.encode, stream=stream)
