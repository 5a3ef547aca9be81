"""What a check works with: the session's clients, what was sent so far, and the answer of the preflight.

Every request passes the session's recorder. Its exchange is kept with the history under a conversation that
is never saved itself: the inspector and `outcrop inspect` find it, the list of conversations does not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

from tui.checks.definition import MOST_OUTPUT
from tui.config.settings import Settings
from tui.core.assembly import Assembly
from tui.core.checks.advice import Circumstances
from tui.core.continuation import Request
from tui.core.costs import CostEstimate, cost_of_model
from tui.core.discovery import CHECK_PROMPT
from tui.core.errors import OutcropError, ResponseError, WireError
from tui.core.events import (
    AttemptEnded,
    AttemptStarted,
    Notice,
    ResponseEnded,
    RetryWaiting,
    ServerError,
    Silence,
    StreamEvent,
    TextDelta,
)
from tui.core.exchange import Exchange
from tui.core.items import Item, Outcome, Target, Turn, Usage, user_message
from tui.core.text import visible_line
from tui.core.usage import usage_record
from tui.credentials.credentials import Credentials
from tui.session.records import Records
from tui.store.history import History

if TYPE_CHECKING:
    from tui.core.catalogue import Catalogue, Model
    from tui.wire.api_client import ApiClient, WireEvent
    from tui.wire.client import ResponsesClient
    from tui.wire.recorder import AttemptLabel

__all__ = ["Answer", "CheckContext", "Reach", "Reading", "Sent"]


class Reach(Protocol):
    """What is needed of the session."""

    credentials: Credentials
    records: Records

    @property
    def settings(self) -> Settings:
        """Where this run talks to."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """The models known."""
        ...

    async def check_token(self, target: Target) -> None:
        """Make sure that there is a token for a target.

        Raises:
            TokenError: There is none.
        """
        ...

    def client(self, target: Target) -> ResponsesClient:
        """What knows responses by their ids there."""
        ...

    def api_client(self, target: Target) -> ApiClient:
        """What sends requests there over the target's API."""
        ...

    def exchanges(self, conversation_id: str) -> list[Exchange]:
        """The exchanges of an open conversation; they are added to it here."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that completed.

    Attributes:
        turn: What was sent and what came, as a turn.
        response: The response object it ended with.
        exchange: The request, as it was recorded.
        deltas: In how many pieces its text came; 0 where it came whole.
    """

    turn: Turn
    response: Mapping[str, Any]
    exchange: Exchange
    deltas: int = 0

    @property
    def text(self) -> str:
        """What the model said."""
        return self.turn.text

    @property
    def usage(self) -> Usage | None:
        """The tokens, as the server counted them."""
        return self.turn.usage

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.exchange.timings.ended or 0.0


@dataclass(slots=True)
class Reading:
    """What has come of an answer.

    Attributes:
        assembly: Its items and counts.
        exchange: The request, as it was recorded; that of the last attempt.
        ended: Its last event.
        deltas: In how many pieces its text came.
    """

    assembly: Assembly
    exchange: Exchange | None = None
    ended: ResponseEnded | None = None
    deltas: int = 0

    @property
    def is_running(self) -> bool:
        """Whether the server goes on with it in the background."""
        return self.ended is None and self.assembly.response_id is not None

    def take(self, event: StreamEvent) -> None:
        """Take the next event."""
        self.assembly.take(event)
        if isinstance(event, ResponseEnded):
            self.ended = event
        self.deltas += isinstance(event, TextDelta)


@dataclass(slots=True)
class Sent:
    """What one check has sent so far.

    Attributes:
        exchanges: In order.
        costs: Of each response that was paid for; `None` where it is unknown.
    """

    exchanges: list[Exchange] = field(default_factory=list[Exchange])
    costs: list[CostEstimate | None] = field(default_factory=list["CostEstimate | None"])


class CheckContext:
    """One per run of checks.

    Args:
        reach: The session; it is warm.
        target: Where the checks go.
        conversation_id: Under which the exchanges are kept.
        now: Wall clock, seconds since the epoch.
        monotonic: Clock for durations, seconds.
        sleep: Waits before a background answer is asked for again.
    """

    def __init__(
        self,
        reach: Reach,
        target: Target,
        conversation_id: str,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.reach = reach
        self.target = target
        self.conversation_id = conversation_id
        self.now = now
        self.monotonic = monotonic
        self.sleep = sleep
        self.sent = Sent()
        self.stored: dict[str, None] = {}
        self.listed: dict[str, tuple[Mapping[str, Any] | None, WireError | None, Exchange]] = {}
        self._preflight: Answer | None = None

    @property
    def model(self) -> Model | None:
        """The catalogue's row of the model; `None` where it has none."""
        return self.reach.catalogue.model(self.target.model)

    def has(self, feature: str) -> bool:
        """Whether the API has one of `api_rules.FEATURES` there."""
        return self.reach.catalogue.rules(self.target.api, self.target.endpoint).has(feature)

    def forget(self) -> None:
        """Ask everything anew: what one run's checks share is not another run's."""
        self._preflight = None
        self.listed.clear()

    # ---- what is known

    def circumstances(self) -> Circumstances:
        """What is known here for advice after a failure."""
        from tui.wire.probe import proxy_host

        settings, target = self.reach.settings, self.target
        status = self.reach.credentials.status(settings.token_place(target))
        return Circumstances(
            target,
            self.reach.catalogue,
            status.kind,
            status.region,
            proxy_host(target.base_url),
            self.skew(),
            settings.request_timeout,
        )

    def skew(self) -> float | None:
        """By how many seconds the server's clock is ahead, by the newest answer that has a date."""
        for exchange in reversed(self.reach.exchanges(self.conversation_id)):
            headers = {name.lower(): value for name, value in exchange.response_headers}
            if (date := headers.get("date")) is None or exchange.timings.headers is None:
                continue
            try:
                moment = parsedate_to_datetime(date)
            except ValueError:
                continue
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            return moment.timestamp() - (exchange.started_at + exchange.timings.headers)
        return None

    # ---- sending

    async def preflight(self) -> Answer:
        """The answer to the guide's smallest request; sent once in a run.

        Raises:
            OutcropError: As `ask`.
        """
        if self._preflight is None:
            items = (user_message(CHECK_PROMPT),)
            self._preflight = await self.ask(items, stream=False)
        elif not self.sent.exchanges:
            # A check that only looks at it stands for the same request.
            self.sent.exchanges.append(self._preflight.exchange)
        return self._preflight

    async def ask(
        self,
        items: Sequence[Item],
        params: Mapping[str, Any] | None = None,
        *,
        previous: str | None = None,
        store: bool = False,
        stream: bool = True,
        target: Target | None = None,
    ) -> Answer:
        """Send one request and wait for its answer; it comes whole where the API does not stream.

        Raises:
            InputError: The API cannot carry it.
            TokenError: There is no usable token.
            WireError: It failed, or came incomplete.
        """
        mode = "stateful" if store or previous else "stateless"
        given = {"max_output_tokens": MOST_OUTPUT, **(params or {})}
        request = Request(target or self.target, mode, tuple(items), previous, store, given)
        return await self.send(request, stream=stream)

    async def send(self, request: Request, *, stream: bool = True) -> Answer:
        """Send a planned request and wait for its answer; errors are those of `ask`."""
        stream = stream and self.has("streaming")
        body = request.encode(stream=stream)
        client, label = self.reach.api_client(request.target), self.label(request.target.model)
        events = client.stream(body, label) if stream else client.create(body, label)
        return self.answer_of(request, await self.read(request, events))

    async def read(self, request: Request, events: AsyncGenerator[WireEvent, None]) -> Reading:
        """Read what comes to its end, and keep what it was paid with and what the server keeps of it.

        Raises:
            TokenError: There is no usable token.
            WireError: It failed.
        """
        reading, began = Reading(Assembly(request.store)), self.now()
        try:
            async with aclosing(events) as answered:
                async for event in answered:
                    match event:
                        case AttemptStarted() | AttemptEnded():
                            reading.exchange = event.exchange
                            self.note(event.exchange)
                        case RetryWaiting() | Silence() | Notice():
                            pass
                        case ServerError():
                            raise ResponseError(_said(event.message), code=event.code or "server_error")
                        case _:
                            reading.take(event)
        finally:
            if reading.exchange is not None:
                self._keep(reading.exchange, reading.assembly, request, began)
        return reading

    def answer_of(self, request: Request, reading: Reading) -> Answer:
        """The answer that was read.

        Raises:
            WireError: It did not complete.
        """
        assembly, exchange = reading.assembly, reading.exchange
        if reading.ended is None or exchange is None:
            raise ResponseError("The server answered without saying how it ended.", code="no_end")
        if assembly.outcome is not Outcome.COMPLETED:
            raise _not_completed(assembly, exchange)
        turn = Turn("", None, request.items, exchange.started_at, target=request.target)
        turn = assembly.onto(replace(turn, outcome=assembly.outcome, continuation=request.mode))
        turn = replace(turn, request_id=exchange.request_id)
        return Answer(turn, reading.ended.response, exchange, reading.deltas)

    def label(self, model: str = "") -> AttemptLabel:
        """A label under which the recorder files a request of these checks."""
        from tui.wire.recorder import AttemptLabel

        return AttemptLabel(self.conversation_id, model=model)

    def note(self, exchange: Exchange | None) -> None:
        """A request is on its way, or was answered: it belongs to the check that runs."""
        if exchange is None or any(known.id == exchange.id for known in self.sent.exchanges):
            return
        self.sent.exchanges.append(exchange)
        self.reach.exchanges(self.conversation_id).append(exchange)

    def save(self, exchange: Exchange | None) -> None:
        """Put an ended request on disk soon."""
        if exchange is not None:
            self.reach.records.later(History.save_exchange, exchange)

    def _keep(self, exchange: Exchange, assembly: Assembly, request: Request, began: float) -> None:
        """What was paid, what the server keeps, and the exchange itself: into the history."""
        self.save(exchange)
        usage, records = assembly.usage, self.reach.records
        if usage is not None:
            exchange.usage_line = f"{usage.input_tokens or 0:,} in · {usage.output_tokens or 0:,} out"
        if assembly.outcome is not None:
            record = usage_record("check", self.conversation_id, began, request.target, usage)
            records.later(History.record_usage, record)
            model = self.reach.catalogue.model(request.target.model)
            self.sent.costs.append(cost_of_model(usage, model, request.target.model))
        if request.store and assembly.store and assembly.response_id is not None:
            self.keeps(assembly.response_id, request.target, began)

    def keeps(self, response_id: str, target: Target, at: float) -> None:
        """The server keeps a response: it is to be deleted when the checks are through."""
        if response_id not in self.stored:
            self.stored[response_id] = None
            save = History.save_stored_response
            self.reach.records.later(save, response_id, target, at, self.conversation_id)

    async def list_of(self, base_url: str) -> tuple[Mapping[str, Any] | None, WireError | None, Exchange]:
        """Ask a base URL for its models, once in a run: the list, or why it could not be had.

        Raises:
            TokenError: There is no token to ask with. One that is refused is a `WireError`, and returned.
            WireError: No answer came at all.
        """
        if base_url in self.listed:
            if not self.sent.exchanges:
                self.sent.exchanges.append(self.listed[base_url][2])
        else:
            label, target = self.label(), replace(self.target, base_url=base_url)
            listed: Mapping[str, Any] | None = None
            failure: WireError | None = None
            try:
                listed = await self.reach.api_client(target).models(label)
            except WireError as error:
                failure = error
            finally:
                self.note(label.exchange)
                self.save(label.exchange)
            if label.exchange is None or label.exchange.status is None:
                raise failure or WireError("Nothing was asked.")
            self.listed[base_url] = (listed, failure, label.exchange)
        return self.listed[base_url]


def _said(message: str) -> str:
    return f"The server failed: {visible_line(message)}"


def _not_completed(assembly: Assembly, exchange: Exchange) -> OutcropError:
    why = visible_line(assembly.error or "it gave no reason")
    if assembly.outcome is Outcome.INCOMPLETE:
        sentence = f"The answer came incomplete: {why}."
        return ResponseError(sentence, code="incomplete", request_id=exchange.request_id)
    return ResponseError(_said(why), code="failed", request_id=exchange.request_id)
