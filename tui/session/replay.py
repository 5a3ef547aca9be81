"""What is done with recorded requests: sent again as they were or edited, kept as a branch, explained.

Part of the session layer, between `sending.py` and `session.py`. What is sent goes through the same client
and recorder as a turn, and its exchanges stand among those of the conversation. The conversation itself is
only touched when an edited request is kept as a branch of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from tui.core.answer import answer_object
from tui.core.apis import RESPONSES
from tui.core.apis.asked import Asked, asked_of
from tui.core.apis.branching import branch_of
from tui.core.cache_analysis import CacheReport, CacheRules, cache_report
from tui.core.continuation import Options, Request
from tui.core.conversation import Conversation
from tui.core.errors import InputError, OutcropError
from tui.core.events import AttemptEnded, AttemptStarted, SessionEvent
from tui.core.exchange import Exchange
from tui.core.ids import new_id
from tui.core.items import ContinuationMode, Item, Target, Turn, Usage
from tui.core.replays import Replay, replay_of
from tui.core.request_check import Finding, check_body
from tui.core.text import visible_line
from tui.core.usage import usage_record
from tui.session.background import check_path
from tui.session.sending import Sending
from tui.session.turns import TurnPlan, TurnRun
from tui.store.history import History

if TYPE_CHECKING:
    from tui.wire.api_client import WireEvent

__all__ = ["BodyRefused", "Replaying"]

T = TypeVar("T")

_LARGE: Final = 256_000
_ASKING: Final = "x-amzn-bedrock-"


class BodyRefused(InputError):
    """An edited body was not sent, because the server would most likely refuse it.

    Attributes:
        findings: What is wrong, each with its place in the text.
    """

    def __init__(self, findings: list[Finding]) -> None:
        lines = "\n".join(f"  {finding}" for finding in findings)
        super().__init__(f"The body was not sent:\n{lines}")
        self.findings = findings

    @property
    def is_final(self) -> bool:
        """Whether it cannot be sent at all, not even when that is insisted on."""
        return any(finding.syntax for finding in self.findings)


class Replaying(Sending):
    """Sends requests again; its arguments are those of `Sending`."""

    async def replay(
        self, exchange: Exchange, times: int = 1, *, body: bytes | None = None, anyway: bool = False
    ) -> AsyncGenerator[Replay, None]:
        """Send a request again, one after the other, and yield what each came to.

        While one runs, its exchange is the last of `exchanges(exchange.conversation_id)`. A replay that fails
        is a row like any other. What the server stores for it is known to `responses` from then on.

        Args:
            exchange: A request for a response, of a conversation or of none.
            times: How often.
            body: Sent instead of the recorded one, byte for byte.
            anyway: Send an edited body in spite of what the check finds, unless it is no JSON object.

        Raises:
            InputError: It is no request for a response, or this run does not talk to where it was sent.
            BodyRefused: The edited body has errors; nothing was sent.
            TokenError: There is no usable token; nothing was sent.
        """
        again = await self._prepared(exchange, body, anyway)
        target = await self._ready_target(exchange, again)
        for _ in range(times):
            yield await self._once(exchange.conversation_id, target, again)

    async def keep_as_branch(
        self, exchange: Exchange, body: bytes, *, anyway: bool = False
    ) -> AsyncGenerator[SessionEvent, None]:
        """Send an edited body as a new turn of the exchange's conversation; events and end are as of `send`.

        The new turn stands where its path says what was sent: beside the turn of the original request when
        only that was edited, further up when an earlier item was. The body goes out byte for byte and is
        never planned anew; parameters that were edited hold for this request only.

        Raises:
            InputError, BodyRefused, TokenError: As `replay`; or it cannot be a turn of the conversation.
            StoreError: The turn could not be put on disk; nothing was sent.
        """
        again = await self._prepared(exchange, body, anyway)
        fields = again.fields
        if fields.get("background") is True:
            raise InputError(
                "A request for a background answer cannot be kept as a branch: take background out."
            )
        target = await self._ready_target(exchange, again)
        conversation = self._conversations.get(exchange.conversation_id)
        if conversation is None:
            raise InputError("This request belongs to no conversation, so there is nothing to branch from.")
        try:
            parent, items = branch_of(exchange, fields, conversation, target)
        except ValueError as error:
            raise InputError(str(error)) from None
        check_path(conversation, parent)
        self._claim(conversation)
        try:
            async with aclosing(self._branch(conversation, parent, items, target, again)) as events:
                async for event in events:
                    yield event
        finally:
            self._running.discard(conversation.id)

    async def cache_report(self, exchange: Exchange) -> CacheReport | None:
        """Why the prompt cache was hit or missed by a request of an open conversation; made in a thread.

        `None` for what is no request for a response.
        """
        conversation = self._conversations.get(exchange.conversation_id)
        others = list(self.exchanges(exchange.conversation_id))
        rules = CacheRules.of(self.catalogue.model(exchange.model))
        return await asyncio.to_thread(cache_report, exchange, others, conversation, rules)

    async def _branch(
        self,
        conversation: Conversation,
        parent: str | None,
        items: tuple[Item, ...],
        target: Target,
        again: _Again,
    ) -> AsyncGenerator[SessionEvent, None]:
        base = conversation.at(parent)
        fixed = _AsItIs.of(again.fields, items, target)
        turn = Turn(
            id=new_id(), parent_id=parent, input=items, created_at=self._now(), target=target,
            continuation=fixed.mode,
        )  # fmt: skip

        def send(request: Request, _: bytes, attempt: int) -> AsyncGenerator[WireEvent, None]:
            return self._sent(base.id, turn.id, request.target, again, attempt)

        options = Options(target, 0)
        plan = TurnPlan(base, fixed, options, send, self._now)
        run = _EditedRun(turn, plan, self._keeper(base.id, options))
        for part in (self._begun(run, base), self._follow(run, run.events())):
            async with aclosing(part) as events:
                async for event in events:
                    yield event

    async def _prepared(self, exchange: Exchange, body: bytes | None, anyway: bool) -> _Again:
        """What is to be sent."""
        asked = asked_of(exchange)
        if asked is None:
            raise InputError(
                f"Only requests for a response can be sent again; this one is {exchange.method} "
                f"{visible_line(exchange.url.partition('?')[0].rpartition('/v1')[2] or exchange.url)}."
            )
        sent = exchange.request_body if body is None else body
        findings = [] if body is None else await _off_the_loop(lambda data: check_body(data, asked.api), sent)
        refused = BodyRefused(findings)
        if findings and (refused.is_final or not anyway):
            raise refused
        fields = await _off_the_loop(_parsed, sent)
        if fields is None:
            raise InputError("The body of this request is no JSON object.")
        return _Again.of(exchange, asked, sent, fields)

    async def _ready_target(self, exchange: Exchange, again: _Again) -> Target:
        if exchange.conversation_id:
            await self.open(exchange.conversation_id)
        await self.check_token(self._target_of(exchange, again))
        await self.warm_up()
        # Once more: the sandbox has another port in each run.
        return self._target_of(exchange, again)

    def _target_of(self, exchange: Exchange, again: _Again) -> Target:
        """Where the request goes: where the original went, with the model that the body names."""
        asked = again.asked
        model = asked.model or str(again.fields.get("model") or exchange.model)
        base = asked.base_url
        conversation = self._conversations.get(exchange.conversation_id)
        turns = [] if conversation is None else list(conversation.turns.values())
        of_turn = [turn.target for turn in turns if turn.id == exchange.turn_id and turn.target is not None]
        others = [turn.target for turn in turns if turn.target is not None and turn.target.base_url == base]
        known = next(iter((*of_turn, *others)), None)
        if known is None:
            known = self.settings.target(model, api=asked.api)
            if not known.sandbox and known.base_url != base:
                raise _elsewhere(base)
        if known.sandbox:
            return self.settings.target(model, known.region, known.endpoint, asked.api)
        if not self.settings.reaches(known):
            raise _elsewhere(known.base_url)
        return replace(known, model=model, base_url=base, api=asked.api)

    async def _once(self, conversation_id: str, target: Target, again: _Again) -> Replay:
        last: Exchange | None = None
        kept: Exchange | None = None
        attempts, why = 0, None
        try:
            async with aclosing(self._sent(conversation_id, "", target, again, 1)) as events:
                async for event in events:
                    if isinstance(event, AttemptStarted):
                        last = event.exchange
                        attempts += 1
                        self._note(conversation_id, event.exchange)
                    elif isinstance(event, AttemptEnded):
                        kept = event.exchange
                        self._keep_replay(kept, target, again.fields)
        except OutcropError as error:
            if last is None:
                raise
            why = str(error)
        finally:
            if last is not None and last is not kept:
                # It was stopped: nobody says any more that the attempt has ended.
                self._keep_replay(last, target, again.fields)
        if last is None:
            raise InputError("Nothing was sent.")
        return replay_of(last, attempts, why)

    def _sent(
        self,
        conversation_id: str,
        turn_id: str,
        target: Target,
        again: _Again,
        attempt: int,
    ) -> AsyncGenerator[WireEvent, None]:
        from tui.wire.recorder import AttemptLabel

        label = AttemptLabel(conversation_id, turn_id, attempt, target.model, headers=again.headers)
        client = self.api_client(target)
        return client.stream(again.body, label) if again.streams else client.create(again.body, label)

    def _keep_replay(self, exchange: Exchange, target: Target, fields: dict[str, Any]) -> None:
        """Remember the exchange, what it cost, and what the server keeps of it."""
        answer = answer_object(exchange) or {}
        usage = Usage.from_payload(answer.get("usage"))
        if usage is not None and usage.total_tokens is not None:
            exchange.usage_line = f"{usage.input_tokens or 0:,} in · {usage.output_tokens or 0:,} out"
            record = usage_record("replay", exchange.conversation_id, exchange.started_at, target, usage)
            self.records.later(History.record_usage, record)
        if exchange.conversation_id:
            self.records.later(History.save_exchange, exchange)
        response_id = answer.get("id") if target.api == RESPONSES else None
        stored = answer.get("store", fields.get("store", True))
        if isinstance(response_id, str) and stored is not False:
            self.records.later(
                History.save_stored_response,
                response_id,
                target,
                exchange.started_at,
                exchange.conversation_id,
            )


@dataclass(frozen=True, slots=True)
class _Again:
    """What is sent again.

    Attributes:
        asked: How the model was asked.
        body: The bytes.
        fields: The object that they are.
        streams: Whether a stream is asked for.
        headers: Those of the original that say what is asked for: a guardrail's.
    """

    asked: Asked
    body: bytes
    fields: dict[str, Any]
    streams: bool
    headers: dict[str, str]

    @classmethod
    def of(cls, exchange: Exchange, asked: Asked, body: bytes, fields: dict[str, Any]) -> _Again:
        streams = fields.get("stream") is True if asked.streams is None else asked.streams
        rows = exchange.request_headers
        headers = {name: value for name, value in rows if name.lower().startswith(_ASKING)}
        return cls(asked, body, fields, streams, headers)


@dataclass(frozen=True, slots=True)
class _AsItIs:
    """A continuation whose request is what it is, however often it is planned."""

    request: Request

    @classmethod
    def of(cls, fields: dict[str, Any], items: tuple[Item, ...], target: Target) -> _AsItIs:
        previous = fields.get("previous_response_id")
        store = target.api == RESPONSES and fields.get("store") is not False
        mode: ContinuationMode = "stateful" if previous or store else "stateless"
        return cls(Request(target, mode, items, previous if isinstance(previous, str) else None, store, {}))

    @property
    def mode(self) -> ContinuationMode:
        return self.request.mode

    def plan(self, conversation: Conversation, new_items: object, options: Options) -> Request:
        return self.request


class _EditedRun(TurnRun):
    """A turn whose request was written by hand: nothing of it is changed after a refusal."""

    mends = False


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _elsewhere(base: str) -> InputError:
    where = visible_line(base)
    return InputError(f"This request was sent to {where}: start with --base-url {where} to send it again.")


async def _off_the_loop(work: Callable[[bytes], T], body: bytes) -> T:
    """Run it in a thread when the body is large, so that keys go on being answered."""
    return work(body) if len(body) < _LARGE else await asyncio.to_thread(work, body)
