"""Background turns: sent, watched until they end, taken up again by a later run, cancelled.

Part of the session layer. The server works on without a connection, so a run that stops watching loses
nothing: the turn is on disk with its response id from the moment the server names it.
Source: bedrock-facts.md section 2 "Background", section 3 "Background stream resume".
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tui.core.assembly import Assembly
from tui.core.background import (
    RUNNING,
    answer_events,
    is_running,
    last_sequence_number,
    poll_interval,
    undelivered,
)
from tui.core.continuation import Request
from tui.core.conversation import Conversation
from tui.core.errors import HttpStatusError, InputError, OutcropError, ResponseError, TokenError, WireError
from tui.core.events import (
    AttemptEnded,
    AttemptStarted,
    BackgroundStarted,
    BackgroundStatus,
    Notice,
    OutputItemDone,
    ReasoningDelta,
    ResponseEnded,
    ResponseStarted,
    RetryWaiting,
    SessionEvent,
    Silence,
    StreamEvent,
    TextDelta,
    TurnEnded,
)
from tui.core.exchange import Exchange
from tui.core.items import Turn
from tui.session.turns import TurnKeeper, TurnPlan, TurnRun, encoded

if TYPE_CHECKING:
    from tui.wire.api_client import WireEvent
    from tui.wire.client import ResponsesClient
    from tui.wire.recorder import AttemptLabel

__all__ = ["BackgroundRun", "JobWire", "check_path", "resumable"]

FORGOTTEN: Final = (
    "The server no longer knows this background answer: it was deleted or it has expired. "
    "Send the message again to have another one made."
)
_NOT_KEPT: Final = (
    "This account keeps no responses, so a turn cannot run in the background: send it without, stateless."
)
_STOPPED: Final = "You stopped this answer."
_GONE: Final = frozenset({400, 404, 410})
_ENDED: Final = frozenset({"completed", "incomplete", "failed", "cancelled"})
# A request that was accepted a moment ago may not be found everywhere at once.
_MISSES_ALLOWED: Final = 1
_BARREN_RESUMES_ALLOWED: Final = 1


@dataclass(frozen=True, slots=True)
class JobWire:
    """The requests of one background turn.

    Attributes:
        client: The client of the turn's target.
        conversation_id: For the record.
        turn_id: For the record.
        model: For the record.
        note: Shows an exchange that belongs to no event.
    """

    client: ResponsesClient
    conversation_id: str
    turn_id: str
    model: str
    note: Callable[[Exchange], object]

    def label(self, attempt: int) -> AttemptLabel:
        """What the recorder is to know of a request."""
        from tui.wire.recorder import AttemptLabel

        return AttemptLabel(self.conversation_id, self.turn_id, attempt, self.model)


class _StoppedWatchingError(Exception):
    """Nothing more can be learned now, but the job goes on: the turn stays as it is."""

    def __init__(self, error: OutcropError) -> None:
        super().__init__(str(error))
        self.error = error


def check_path(conversation: Conversation, parent: str | None) -> None:
    """Make sure that a turn can follow `parent`.

    Raises:
        InputError: A turn before it is still being answered in the background.
    """
    if any(is_running(turn) for turn in (conversation.path(parent) if parent is not None else ())):
        raise InputError(
            "The answer before this is still being made in the background: wait for it, or cancel it."
        )


def resumable(conversation: Conversation, turn_id: str) -> Turn:
    """The background turn of that id, while it runs.

    Raises:
        KeyError: It is no turn of the conversation.
        InputError: It does not run in the background, or has ended.
    """
    turn = conversation.turns[turn_id]
    if not is_running(turn):
        raise InputError("This turn is not running in the background.")
    return turn


class BackgroundRun(TurnRun):
    """Runs one background turn.

    A run whose consumer goes away stops watching and leaves the turn running; `resumed` of another run takes
    it up again.

    Args:
        turn: New, or as it was left.
        plan: How it is planned; `plan.send` is not used.
        keeper: Where it is kept.
        wire: Its requests.
        sleep: Waits between two polls, seconds.
        stream: Whether to ask for a stream when it is sent; what cannot be taken up again is polled.
    """

    def __init__(
        self,
        turn: Turn,
        plan: TurnPlan,
        keeper: TurnKeeper,
        wire: JobWire,
        *,
        sleep: Callable[[float], Awaitable[None]],
        stream: bool = False,
    ) -> None:
        super().__init__(replace(turn, background=True), plan, keeper)
        self._wire = wire
        self._sleep = sleep
        self._streams = stream
        self._after: int | None = None
        self._woken = asyncio.Event()
        self._is_watched = False
        self._seed()

    def _seed(self) -> None:
        """Begin with what an earlier run had received."""
        turn = self.turn
        if turn.response_id is None:
            return
        self._assembly = Assembly(store=turn.stored, response_id=turn.response_id)
        for index, item in enumerate(turn.output):
            self._assembly.take(OutputItemDone(index, item))
        if turn.partial_reasoning:
            self._assembly.take(ReasoningDelta(len(turn.output), "", 0, turn.partial_reasoning))
        if turn.partial_text:
            self._assembly.take(TextDelta(len(turn.output) + 1, "", turn.partial_text))

    # -- the ways in -------------------------------------------------------------------------------

    async def events(self) -> AsyncGenerator[SessionEvent, None]:
        """Send the turn and watch it; `TurnEnded` is the last event, unless the consumer goes away.

        Raises:
            WireError, TokenError: The job cannot be watched any more, although it goes on; it can be resumed.
        """
        self._is_watched = True
        try:
            async with aclosing(super().events()) as events:
                async for event in events:
                    yield event
        except _StoppedWatchingError as stopped:
            await self._leave()
            raise stopped.error from None
        finally:
            self._is_watched = False

    async def resumed(self) -> AsyncGenerator[SessionEvent, None]:
        """Watch a turn that was sent before; ends and raises as `events` does."""
        error: OutcropError | None = None
        self._is_watched = True
        # What happened meanwhile is wanted at once.
        self._woken.set()
        try:
            yield BackgroundStarted(self.turn)
            try:
                async with aclosing(self._polled()) as events:
                    async for event in events:
                        yield event
            except OutcropError as failure:
                error = failure
            for notice in self._last_words():
                yield notice
            yield TurnEnded(await self._end(error), error)
        except (asyncio.CancelledError, GeneratorExit):
            await self._leave()
            raise
        except _StoppedWatchingError as stopped:
            await self._leave()
            raise stopped.error from None
        finally:
            self._is_watched = False

    async def cancel(self) -> None:
        """Ask the server to end the job. A run that watches it looks at once; else this run ends the turn.

        Raises:
            WireError, TokenError: It could not be asked.
        """
        self.cancelled_by_server = _STOPPED
        label = self._wire.label(self._attempts + 1)
        try:
            response = await self._wire.client.cancel(self._response_id(), label)
        except HttpStatusError as refusal:
            if refusal.status not in _GONE or isinstance(refusal, TokenError):
                raise
            response = {}
        finally:
            if label.exchange is not None:
                self._wire.note(label.exchange)
                self._keeper.save_exchange(label.exchange)
        if self._is_watched:
            self._woken.set()
        elif not response:
            await self._end(ResponseError(FORGOTTEN, code="not_found"))
        elif str(response.get("status")) in _ENDED:
            self._finish(answer_events(response))
            await self._end(None)

    # -- sending -----------------------------------------------------------------------------------

    async def _attempt(self, request: Request) -> AsyncGenerator[SessionEvent, None]:
        if not request.store:
            raise WireError(_NOT_KEPT, code="not_stored")
        self._assembly = Assembly(store=True)
        self._after = None
        body = await encoded(request, stream=self._streams)
        client, label = self._wire.client, self._wire.label(self._attempts + 1)
        sent = client.stream(body, label) if self._streams else client.create(body, label)
        try:
            async with aclosing(self._until_woken(sent)) as events:
                async for event in events:
                    self._take(event)
                    yield event
                    if isinstance(event, ResponseStarted) and self.turn.response_id is None:
                        self.turn = self._assembly.onto(self.turn)
                        await self._keeper.save_turn(self.turn)
                        yield BackgroundStarted(self.turn)
        except HttpStatusError as refusal:
            raise _explained(refusal) from None
        except WireError:
            # The answer is being made all the same, once it has a name.
            if self._assembly.response_id is None:
                raise
        if self._assembly.outcome is None and self._streams:
            async with aclosing(self._streamed_again()) as again:
                async for event in again:
                    yield event
        if self._assembly.outcome is None:
            async with aclosing(self._polled()) as polled:
                async for event in polled:
                    yield event

    def _take(self, event: WireEvent) -> None:
        super()._take(event)
        if isinstance(event, AttemptEnded):
            number = last_sequence_number(event.exchange)
            if number is not None:
                self._after = max(number, -1 if self._after is None else self._after)

    async def _streamed_again(self) -> AsyncGenerator[SessionEvent, None]:
        """Take the stream up after each cut, as long as that brings something."""
        barren = 0
        while self._assembly.outcome is None and self._after is not None and not self._woken.is_set():
            before = self._after
            label = self._wire.label(self._attempts + 1)
            resumed = self._wire.client.resume(self._response_id(), self._after, label)
            try:
                async with aclosing(self._until_woken(resumed)) as events:
                    async for event in events:
                        self._take(event)
                        yield event
            except TokenError as refused:
                raise _StoppedWatchingError(refused) from None
            except HttpStatusError:
                # This server does not do that.
                return
            except WireError:
                pass
            barren = 0 if self._after > before else barren + 1
            if barren > _BARREN_RESUMES_ALLOWED:
                return

    # -- polling -----------------------------------------------------------------------------------

    async def _polled(self) -> AsyncGenerator[SessionEvent, None]:
        """Ask again and again until the response has ended.

        Raises:
            ResponseError: The server does not know it any more.
            _StoppedWatchingError: It cannot be asked for now.
        """
        polls = failures = misses = 0
        wait = 0.0
        while True:
            await self._wait(max(wait, poll_interval(polls, failures)))
            polls, wait = polls + 1, 0.0
            answer: list[StreamEvent] = []
            label = self._wire.label(self._attempts + 1)
            try:
                async with aclosing(self._wire.client.poll(self._response_id(), label)) as events:
                    async for event in events:
                        if isinstance(event, (AttemptStarted, AttemptEnded)):
                            self._take(event)
                            yield event
                        elif isinstance(event, ResponseStarted):
                            self._assembly.take(event)
                            if event.status in RUNNING:
                                yield BackgroundStatus(event.status, self._elapsed())
                        elif not isinstance(event, (RetryWaiting, Silence, Notice)):
                            answer.append(event)
                failures = misses = 0
            except TokenError as refused:
                raise _StoppedWatchingError(refused) from None
            except WireError as error:
                if isinstance(error, HttpStatusError) and error.status in _GONE:
                    misses += 1
                    if misses > _MISSES_ALLOWED:
                        raise ResponseError(FORGOTTEN, code="not_found", status=error.status) from None
                elif isinstance(error, HttpStatusError) and not error.retryable:
                    raise _StoppedWatchingError(error) from None
                else:
                    failures, wait = failures + 1, error.retry_after or 0.0
                    seconds = max(wait, poll_interval(polls, failures))
                    yield RetryWaiting(seconds, str(error), self._attempts + 1)
            if answer:
                for event in self._finish(answer):
                    yield event
                return

    def _finish(self, answer: list[StreamEvent]) -> list[StreamEvent]:
        """Take the answer as the server has it, and give what of it was not told yet."""
        had = self._assembly
        delivered = had.onto(self.turn).text
        whole = Assembly(store=True, response_id=had.response_id)
        for event in answer:
            whole.take(event)
        if whole.output or whole.partial_text or not delivered:
            self._assembly = whole
        elif isinstance(ended := answer[-1], ResponseEnded):
            # A response that was cancelled has lost its text at the server, and has not here.
            had.take(ended)
        return undelivered(answer, delivered, len(had.output))

    def _response_id(self) -> str:
        assert self._assembly.response_id is not None
        return self._assembly.response_id

    def _elapsed(self) -> float:
        return max(0.0, self._plan.now() - self.turn.created_at)

    async def _wait(self, seconds: float) -> None:
        """Sleep, or until woken."""
        tasks: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self._sleep(seconds)),
            asyncio.ensure_future(self._woken.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        self._woken.clear()

    async def _until_woken(self, events: AsyncGenerator[WireEvent, None]) -> AsyncGenerator[WireEvent, None]:
        """Pass events on, until the user asks for the job's end: then the stream is closed."""
        woken = asyncio.ensure_future(self._woken.wait())
        pending: asyncio.Future[WireEvent | None] | None = None
        try:
            while True:
                pending = asyncio.ensure_future(anext(events, None))
                await asyncio.wait([pending, woken], return_when=asyncio.FIRST_COMPLETED)
                if not pending.done() or (event := pending.result()) is None:
                    break
                yield event
        finally:
            woken.cancel()
            if pending is not None and not pending.done():
                # A generator that is at work cannot be closed.
                pending.cancel()
                await asyncio.wait([pending])
            await events.aclose()
        if self._exchange is not None:
            self._keep(self._exchange)
            self._exchange = None

    # -- the end -----------------------------------------------------------------------------------

    async def _end(self, error: OutcropError | None, *, cancelled: bool = False) -> Turn:
        assembly = self._assembly
        if cancelled and assembly.response_id is not None and assembly.outcome is None:
            return await self._leave()
        return await super()._end(error, cancelled=cancelled)

    async def _leave(self) -> Turn:
        """Keep what has come and leave the job to the server."""
        self._cancel_saving()
        self.turn = self._assembly.onto(self.turn)
        await self._keeper.save_turn(self.turn)
        return self.turn


def _explained(refusal: HttpStatusError) -> HttpStatusError | WireError:
    """A refusal that is about the background is none that another plan could mend."""
    said = str(refusal)
    if refusal.status not in (400, 403, 404) or isinstance(refusal, TokenError):
        return refusal
    if re.search(r"retention|\bstore\b", said, re.IGNORECASE):
        return WireError(f"{_NOT_KEPT} {said}", code=refusal.code, status=refusal.status)
    if "background" in said.lower():
        return WireError(
            f"The server takes no background turns here: send it without. {said}",
            code=refusal.code,
            status=refusal.status,
        )
    return refusal
