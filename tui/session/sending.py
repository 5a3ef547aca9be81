"""Sending turns: the way of a prompt to its answer.

Part of the session layer, between `connected.py` and `session.py`. Nothing here blocks the event loop:
SQLite has a thread, the keyring a daemon thread, imports a worker.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui.config.settings import Settings
from tui.core.apis import RESPONSES, mode_in_force
from tui.core.attachments import Attachment, why_not_in_path
from tui.core.background import is_running, why_not_in_background
from tui.core.continuation import LeftOut, Options, Request, continuation_named
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.events import (
    AnswerChecked,
    AttemptStarted,
    BackgroundStarted,
    SessionEvent,
    TurnEnded,
    TurnStarted,
)
from tui.core.exchange import Exchange
from tui.core.ids import new_id
from tui.core.items import ContinuationMode, Item, Target, Turn, user_message
from tui.core.structured.output_format import why_not_sendable
from tui.core.text import storable
from tui.core.tools import carries_prompt, unanswered
from tui.credentials.credentials import Credentials
from tui.session.background import BackgroundRun, JobWire, check_path
from tui.session.connected import Connected
from tui.session.estimates import Estimates
from tui.session.options import guardrail_unsent, target_of
from tui.session.records import TurnRecords
from tui.session.spending import Spending
from tui.session.turns import Sender, TurnPlan, TurnRun, encoded
from tui.session.validation import is_checked, turn_problems
from tui.store.history import History
from tui.store.title import title_of

if TYPE_CHECKING:
    from tui.wire.api_client import WireEvent

__all__ = ["Sending"]


class Sending(Connected):
    """Sends turns.

    Args:
        settings, credentials, start_sandbox, now, monotonic, transport: As `Connected` has them.
        sleep: Waits between two looks at a background turn, seconds.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        *,
        start_sandbox: Callable[[], str] | None = None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        transport: Any = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(settings, credentials, start_sandbox, now, monotonic, transport)
        self.spending = Spending(self.records, self, now)
        self.estimates = Estimates(self, now)
        self._sleep = sleep
        self._left_out: dict[str, dict[str, tuple[LeftOut, ...]]] = {}
        self._jobs: dict[str, BackgroundRun] = {}

    def preview(
        self,
        conversation_id: str,
        prompt: str,
        attachments: Sequence[Attachment] = (),
        mode: ContinuationMode | None = None,
    ) -> Request:
        """What would be sent for this prompt, in this mode or the conversation's."""
        conversation = self._conversations[conversation_id]
        item = user_message(storable(prompt), [attachment.content_part() for attachment in attachments])
        continuation = continuation_named(mode or conversation.continuation)
        return continuation.plan(conversation, [item], self._options.of(self.settings, conversation))

    # -- exchanges -------------------------------------------------------------------------------

    def exchanges(self, conversation_id: str) -> list[Exchange]:
        """The exchanges of an open conversation, oldest first; the last may still be running."""
        return self._exchanges.get(conversation_id, [])

    async def load_exchanges(self, conversation_id: str) -> list[Exchange]:
        """The exchanges of an open conversation, those of earlier runs included."""
        return self.exchanges(conversation_id)

    def note_exchange(self, exchange: Exchange, *, bookmarked: bool, note: str) -> None:
        """Bookmark an exchange or write a note on it; kept with the history."""
        exchange.bookmarked, exchange.note = bookmarked, note
        self.records.later(History.note_exchange, exchange.id, bookmarked, note)

    def left_out(self, conversation_id: str) -> Mapping[str, tuple[LeftOut, ...]]:
        """Which items the requests of this run left out, and why, by the id of the exchange."""
        return self._left_out.get(conversation_id, {})

    # -- turns -----------------------------------------------------------------------------------

    async def send(
        self,
        conversation_id: str,
        prompt: str,
        attachments: Sequence[Attachment] = (),
        *,
        background: bool = False,
    ) -> AsyncGenerator[SessionEvent, None]:
        """Send a prompt after the conversation's tip and yield what happens.

        `TurnStarted` comes when the turn is on disk, `TurnEnded` last, also when it failed. When the
        consumer is cancelled, the stream is closed, the turn is kept as cancelled, and so it goes on.

        A `background` turn is the server's from `BackgroundStarted` on: a consumer that goes away leaves it
        running, and the conversation may be forked meanwhile. Its text comes when it has ended, or as it is
        streamed (setting `stream_background`).

        Raises:
            InputError: There is nothing to send, a turn of this conversation is running, or it cannot run in
                the background; the sentence says why.
            TokenError: There is no usable token. Without `BackgroundStarted` before it, nothing was sent or
                recorded; after it, the turn can no longer be watched and can be resumed.
            WireError: After `BackgroundStarted` only, in the same sense.
            StoreError: The turn could not be put on disk; nothing was sent.
        """
        if not prompt.strip() and not attachments:
            raise InputError("There is nothing to send: type a message or attach a file.")
        item = await _message(storable(prompt), attachments)
        conversation = self._conversations[conversation_id]
        async with aclosing(self._run(conversation, conversation.tip, (item,), background)) as events:
            async for event in events:
                yield event

    async def resend(
        self, conversation_id: str, turn_id: str, *, background: bool = False
    ) -> AsyncGenerator[SessionEvent, None]:
        """Send the user's items of a turn again as its sibling; the turn itself stays in the tree.

        Raises:
            KeyError: It is no turn of this conversation.
            InputError, TokenError, StoreError: As `send`.
        """
        conversation = self._conversations[conversation_id]
        turn = conversation.turns[turn_id]
        async with aclosing(self._run(conversation, turn.parent_id, turn.input, background)) as events:
            async for event in events:
                yield event

    async def _run(
        self, conversation: Conversation, parent: str | None, items: tuple[Item, ...], background: bool
    ) -> AsyncGenerator[SessionEvent, None]:
        self._claim(conversation)
        claimed = True
        try:
            check_path(conversation, parent)
            base = await self.discovery.with_model(conversation.at(parent))
            if parent is not None:
                # A call that nobody ran is answered here, once and for all; the server refuses it without.
                items = (*unanswered(base.turns[parent], items), *items)
            target = target_of(self.settings, base)
            why_not = why_not_in_background(target, base.continuation, self.catalogue)
            if background and why_not is not None:
                raise InputError(why_not)
            if sentence := why_not_in_path(self.catalogue.model(target.model), base.path(), items):
                raise InputError(sentence)
            prompted = carries_prompt(items)
            form = base.controls.text_format or ""
            said = Turn("", None, items, 0.0).prompt if prompted and form else ""
            if prompted and form and (sentence := why_not_sendable(form, said, base.instructions)):
                raise InputError(sentence)
            # Before the wire layer is imported: that takes seconds, and a missing token is said at once.
            await self.check_token(target)
            await self.warm_up()
            options = self._options.of(self.settings, base, first=carries_prompt(items))
            await _check_sayable(base, items, options)
            base = replace(
                base,
                model=options.target.model,
                region=options.target.region,
                endpoint=_kept_endpoint(options.target, self.settings) or base.endpoint,
                api=base.api or _kept_api(options.target, self.settings),
            )
            turn = Turn(
                id=new_id(),
                parent_id=parent,
                input=items,
                created_at=self._now(),
                target=options.target,
                continuation=mode_in_force(base.continuation, options.target.api),
                background=background,
                text_format=options.text_format,
            )
            plan = TurnPlan(
                base, continuation_named(base.continuation), options, self._sender(base.id, turn), self._now
            )
            run = self._job(turn, plan) if background else TurnRun(turn, plan, self._keeper(base.id, options))
            sentence = guardrail_unsent(self.settings, target)
            notes = [sentence] if sentence and not _was_said(base, sentence) else []
            async with aclosing(self._begun(run, base, *notes)) as events:
                async for event in events:
                    yield event
            async with aclosing(self._follow(run, run.events())) as events:
                async for event in events:
                    if claimed and isinstance(event, BackgroundStarted):
                        self._running.discard(conversation.id)
                        claimed = False
                    yield event
        finally:
            if claimed:
                self._running.discard(conversation.id)

    async def _begun(
        self, run: TurnRun, base: Conversation, *notes: str
    ) -> AsyncGenerator[SessionEvent, None]:
        """Put a run's turn on disk and say so; for a consumer that goes away meanwhile it has ended."""
        try:
            await self._begin(base, run.turn)
            yield TurnStarted(run.turn)
            for sentence in notes:
                yield run.note(sentence)
        except (asyncio.CancelledError, GeneratorExit):
            if run.turn.id in self._conversations[base.id].turns:
                try:
                    await run.stopped()
                finally:
                    self._settle(run)
            raise

    def is_running(self, conversation_id: str) -> bool:
        """Whether an answer is arriving in a conversation, one that is made in the background included."""
        watched = any(run.conversation.id == conversation_id for run in self._jobs.values())
        return watched or super().is_running(conversation_id)

    def _keeper(self, conversation_id: str, options: Options) -> TurnRecords:
        return TurnRecords(self.records, conversation_id, self._options.refuser(options.target))

    def _note(self, conversation_id: str, exchange: Exchange, request: Request | None = None) -> None:
        # Deleted meanwhile, it needs none.
        if conversation_id not in self._exchanges:
            return
        self._exchanges[conversation_id].append(exchange)
        # What only looks at a background answer sends no items.
        if request is not None and request.left_out and exchange.method == "POST":
            self._left_out.setdefault(conversation_id, {})[exchange.id] = request.left_out

    async def _follow(
        self, run: TurnRun, events: AsyncGenerator[SessionEvent, None]
    ) -> AsyncGenerator[SessionEvent, None]:
        """Pass a run's events on; what it comes to goes into the conversation, however it ends."""
        conversation_id = run.conversation.id
        if isinstance(run, BackgroundRun):
            self._jobs[run.turn.id] = run
        try:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, AttemptStarted):
                        self._note(conversation_id, event.exchange, run.request)
                    elif isinstance(event, BackgroundStarted):
                        self._settle(run)
                    elif isinstance(event, TurnEnded) and is_checked(event.turn):
                        # In a thread: the library that checks takes a fifth of a second to import.
                        problems = await asyncio.to_thread(turn_problems, event.turn)
                        yield AnswerChecked(event.turn, problems)
                    yield event
        finally:
            self._jobs.pop(run.turn.id, None)
            self._settle(run)

    def _job(self, turn: Turn, plan: TurnPlan) -> BackgroundRun:
        options, conversation_id = plan.options, plan.conversation.id
        plan = replace(plan, options=replace(options, extra={**options.extra, "background": True}))
        wire = JobWire(
            self.client(options.target),
            conversation_id,
            turn.id,
            options.target.model,
            lambda exchange: self._note(conversation_id, exchange),
        )
        return BackgroundRun(
            turn,
            plan,
            self._keeper(conversation_id, options),
            wire,
            sleep=self._sleep,
            stream=self.settings.stream_background,
        )

    # -- what a turn needs -------------------------------------------------------------------------

    async def _begin(self, base: Conversation, turn: Turn) -> None:
        """Put a turn on disk and into its conversation: both or neither, also for one who is cancelled."""
        beginning = asyncio.ensure_future(self._begin_whole(base, turn))
        try:
            await asyncio.shield(beginning)
        except asyncio.CancelledError:
            await asyncio.wait([beginning])
            beginning.exception()
            raise

    async def _begin_whole(self, base: Conversation, turn: Turn) -> None:
        if not base.title:
            base = replace(base, title=title_of(turn.prompt))
        conversation = base.append(turn)
        await self.records.call(History.begin_turn, conversation, turn)
        current = self._conversations.get(base.id)
        if current is not None:
            # A background turn may have ended while this was written.
            conversation = (
                replace(
                    current,
                    model=base.model,
                    region=base.region,
                    endpoint=base.endpoint,
                    api=base.api,
                    title=current.title or base.title,
                )
                .at(turn.parent_id)
                .append(turn)
            )
        self._conversations[conversation.id] = conversation

    def _settle(self, run: TurnRun) -> None:
        """Put the run's result into the conversation, which may have been changed meanwhile."""
        if not is_running(run.turn):
            # Else its answer is still wanted when this program ends.
            self.responses.note(run.turn)
        conversation = self._conversations.get(run.conversation.id)
        if conversation is None:
            return
        self._conversations[conversation.id] = conversation.update(run.turn)
        self._forget(conversation.id, run.conversation.lost)

    def _forget(self, conversation_id: str, lost: frozenset[str]) -> None:
        conversation = self._conversations[conversation_id]
        if not lost <= conversation.lost:
            self.records.later(History.set_lost, conversation.id, conversation.lost | lost)
            self._conversations[conversation.id] = conversation.forget(lost)

    def _sender(self, conversation_id: str, turn: Turn | None = None) -> Sender:
        def send(request: Request, body: bytes, attempt: int) -> AsyncGenerator[WireEvent, None]:
            from tui.wire.recorder import AttemptLabel

            turn_id = "" if turn is None else turn.id
            label = AttemptLabel(
                conversation_id, turn_id, attempt, request.target.model, headers=request.headers
            )
            return self.api_client(request.target).stream(body, label)

        return send


def _kept_endpoint(target: Target, settings: Settings) -> str | None:
    """A profile stays with the conversation that was begun with it, as its model is nobody else's."""
    return target.endpoint if target.endpoint in settings.profiles and not target.sandbox else None


async def _check_sayable(base: Conversation, items: Sequence[Item], options: Options) -> None:
    """Make sure that an API with a form of its own can carry a turn, before it is on disk.

    Raises:
        InputError: It cannot; the sentence says what.
    """
    if options.target.api != RESPONSES:
        await encoded(continuation_named(base.continuation).plan(base, items, options))


def _kept_api(target: Target, settings: Settings) -> str | None:
    """An API that was chosen stays with the conversation that was begun over it."""
    usual = settings.catalogue.default_api(target.model, target.endpoint)
    return None if target.api == usual else target.api


def _was_said(conversation: Conversation, sentence: str) -> bool:
    return any(sentence in turn.notices for turn in conversation.turns.values())


async def _message(prompt: str, attachments: Sequence[Attachment]) -> Item:
    """Build the user's item; base64 of large files goes in a thread."""
    if not attachments:
        return user_message(prompt)
    return await asyncio.to_thread(
        lambda: user_message(prompt, [attachment.content_part() for attachment in attachments])
    )
