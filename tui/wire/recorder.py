"""The recording transport: every attempt as it was on the wire, secrets masked at capture.

All traffic passes here. What goes on from here (to the SDK, the decoder, the inspector, the history)
never holds the token: the request's headers are masked in the record, and an echo of the token in a
response is masked in the bytes that are handed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tui.core.aws import AwsKeys
from tui.core.exchange import Exchange
from tui.core.items import Outcome
from tui.wire.arriving import Arriving, Batch
from tui.wire.error_chains import mask_errors
from tui.wire.redact import Redactor, StreamRedactor, masked_headers
from tui.wire.signing import signature_in, signing_keys
from tui.wire.unpacking import handed_on, recorded_as, unpacked

__all__ = ["AttemptLabel", "RecordingTransport", "attempt_label", "finish"]


@dataclass(slots=True)
class AttemptLabel:
    """What the client knows about the request it is about to send; `headers` go with it beside its own.

    What it was signed with is in `keys`. With `judged` it is the client that says how the exchange ended,
    once a whole answer has come. A request whose `limit` of time has run out has not been cancelled: the
    client says so.

    The transport fills in `exchange`, `clock` (seconds since the exchange began) and `redactor` (which masks
    the token of this attempt), and sets `began`.
    """

    conversation_id: str = ""
    turn_id: str = ""
    attempt: int = 1
    model: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    keys: AwsKeys | None = field(default=None, repr=False)
    judged: bool = False
    exchange: Exchange | None = None
    clock: Callable[[], float] = lambda: 0.0
    redactor: Redactor = field(default_factory=lambda: Redactor(""))
    began: asyncio.Event = field(default_factory=asyncio.Event)
    limit: asyncio.Timeout | None = None

    @property
    def has_run_out(self) -> bool:
        """Whether it was given up because it took too long."""
        return self.limit is not None and self.limit.expired()


_EVENT_STREAMS: Final = ("text/event-stream", "application/vnd.amazon.eventstream")

attempt_label: ContextVar[AttemptLabel | None] = ContextVar("attempt_label", default=None)


def finish(exchange: Exchange, outcome: Outcome, offset: float, error: str | None = None) -> None:
    """End an exchange; the first outcome it is given is the one it keeps."""
    if exchange.outcome is None:
        exchange.outcome = outcome
        exchange.error = error
        exchange.timings.ended = offset


class RecordingTransport(httpx.AsyncBaseTransport):
    """Sends through `inner` and records.

    Args:
        inner: The transport that really sends.
        number: Gives the next exchange's number within a conversation.
        new_id: Gives a new exchange id.
        now: Wall clock, seconds since the epoch.
        monotonic: Clock for the offsets, seconds.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        number: Callable[[str], int],
        new_id: Callable[[], str],
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._inner = inner
        self._number = number
        self._new_id = new_id
        self._now = now
        self._monotonic = monotonic

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the exchange's record is in the current `attempt_label`.

        Raises:
            httpx.TransportError: As the inner transport does; the exchange has failed then.
        """
        label = attempt_label.get() or AttemptLabel()
        redactor = _redactor(request)
        body = await request.aread()
        began = self._monotonic()
        exchange = Exchange(
            id=self._new_id(),
            number=self._number(label.conversation_id),
            attempt=label.attempt,
            conversation_id=label.conversation_id,
            turn_id=label.turn_id,
            method=request.method,
            url=redactor.text(str(request.url)),
            request_headers=masked_headers(request.headers.raw, redactor),
            request_body=redactor.bytes(body),
            started_at=self._now(),
            model=label.model,
        )
        clock = _Clock(self._monotonic, began)
        label.exchange = exchange
        label.clock = clock
        label.redactor = redactor
        label.began.set()
        request.extensions = {**request.extensions, "trace": _tracer(exchange, clock)}
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException as error:
            outcome = Outcome.FAILED if isinstance(error, Exception) else Outcome.CANCELLED
            # Before the SDK sees it, which may write to its log what it likes.
            mask_errors(error, redactor.text)
            if not label.has_run_out:
                finish(exchange, outcome, clock(), str(error) or type(error).__name__)
            raise
        exchange.timings.headers = clock()
        exchange.status = response.status_code
        exchange.http_version = _text(response.extensions.get("http_version"))
        exchange.response_headers = recorded_as(masked_headers(response.headers.raw, redactor), response)
        redacting = StreamRedactor(redactor)
        return httpx.Response(
            status_code=response.status_code,
            headers=handed_on(exchange.response_headers),
            stream=_RecordedStream(unpacked(response), exchange, redacting, clock, label),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self._inner.aclose()


class _Clock:
    """Seconds since the exchange began.

    Args:
        monotonic: The clock, seconds.
        began: What it said then.

    Attributes:
        monotonic: As given.
        began: As given.
    """

    def __init__(self, monotonic: Callable[[], float], began: float) -> None:
        self.monotonic = monotonic
        self.began = began

    def __call__(self) -> float:
        return self.monotonic() - self.began


class _RecordedStream(httpx.AsyncByteStream):
    """A response body that is masked and noted as it passes."""

    def __init__(
        self,
        inner: httpx.AsyncByteStream,
        exchange: Exchange,
        redactor: StreamRedactor,
        clock: _Clock,
        label: AttemptLabel,
    ) -> None:
        self._inner = inner
        self._arriving = Arriving(inner, clock.monotonic)
        self._exchange = exchange
        self._redactor = redactor
        self._clock = clock
        self._label = label
        self._whole = False
        self._broke = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for batch in self._arriving.batches():
                if data := self._recorded(batch):
                    yield data
        except httpx.HTTPError:
            self._broke = True
            raise
        if rest := self._rest():
            yield rest
        self._whole = True

    async def aclose(self) -> None:
        """Close the connection and end the exchange, unless the client has said how it ended."""
        try:
            await self._arriving.stop()
            await self._inner.aclose()
        finally:
            self._recorded(self._arriving.take())
            self._rest()
            status = self._exchange.status or 0
            if not 200 <= status < 300:
                finish(self._exchange, Outcome.FAILED, self._clock(), f"HTTP status {status}")
            elif self._broke:
                finish(self._exchange, Outcome.FAILED, self._clock(), "The connection broke off.")
            elif self._label.has_run_out:
                pass
            elif not self._whole:
                finish(self._exchange, Outcome.CANCELLED, self._clock())
            elif not self._label.judged and not _is_event_stream(self._exchange):
                finish(self._exchange, Outcome.COMPLETED, self._clock())
            # How a whole event stream ended is in its events, which the client reads and judges.

    def _recorded(self, batch: Batch) -> bytes:
        """Mask and note what came; returns what is certain of it by now."""
        if not batch.pieces:
            return b""
        began, chunks, timings = self._clock.began, self._exchange.chunks, self._exchange.timings
        if timings.first_byte is None:
            timings.first_byte = batch.times[0] - began
        data = b"".join(batch.pieces)
        if self._redactor.passes(data):
            chunks.add_all(batch.times, [*map(len, batch.pieces)], data, began)
            return data
        certain: list[bytes] = []
        for at, piece in zip(batch.times, batch.pieces, strict=True):
            if masked := self._redactor.feed(piece):
                chunks.add(at - began, masked)
                certain.append(masked)
        return b"".join(certain)

    def _rest(self) -> bytes:
        """Mask and note what was held back at the end."""
        if rest := self._redactor.finish():
            self._exchange.chunks.add(self._clock(), rest)
        return rest


def _tracer(exchange: Exchange, clock: _Clock) -> Callable[[str, dict[str, Any]], Any]:
    """A callback for httpcore's `trace` extension: when the connection was made and the request sent."""

    async def trace(name: str, info: dict[str, Any]) -> None:
        if name == "connection.connect_tcp.complete":
            exchange.timings.connected = clock()
        # A proxy's tunnel names its own: "proxy.start_tls.complete".
        elif name.endswith(".start_tls.complete"):
            exchange.timings.secured = clock()
        elif name.endswith(".send_request_body.complete"):
            exchange.timings.request_sent = clock()

    return trace


def _is_event_stream(exchange: Exchange) -> bool:
    return any(
        name.lower() == "content-type" and value.lower().startswith(_EVENT_STREAMS)
        for name, value in exchange.response_headers
    )


def _redactor(request: httpx.Request) -> Redactor:
    """What masks the token of a request, or all that it was signed with."""
    authorization = request.headers.get("authorization", "")
    scheme, _, token = authorization.partition(" ")
    keys = signing_keys.get()
    if keys is None:
        return Redactor(token.strip() if scheme.lower() == "bearer" else "")
    return Redactor("", *keys.secrets, signature_in(authorization))


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else ""
