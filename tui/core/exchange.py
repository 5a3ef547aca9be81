"""One exchange: a request and what came back for it, as it was on the wire, secrets masked at capture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, cast

from tui.core.items import Outcome
from tui.core.recorded_body import Chunk, Chunks
from tui.core.recorded_events import Events, SseRecord
from tui.core.request_body import RequestBody

__all__ = ["UNPACKED_HEADER", "Chunk", "Chunks", "Events", "Exchange", "Headers", "SseRecord", "Timings"]

Headers = tuple[tuple[str, str], ...]

UNPACKED_HEADER: Final = "x-outcrop-unpacked"
"""In the place of a response's `content-encoding`: its body came packed so, and is recorded unpacked."""


@dataclass(slots=True)
class Timings:
    """Seconds since the exchange began; `None` for what has not happened.

    A connection that was open already is neither connected nor secured again.

    Attributes:
        connected: The TCP connection stood.
        request_sent: The last byte of the request was handed over.
        headers: The response's headers were read.
        first_byte: The first byte of its body came.
        first_text: The first piece of the answer's text was decoded.
        ended: The exchange had its outcome.
        secured: TLS was agreed on; `None` without TLS too.
    """

    connected: float | None = None
    request_sent: float | None = None
    headers: float | None = None
    first_byte: float | None = None
    first_text: float | None = None
    ended: float | None = None
    secured: float | None = None


class _Whole:
    """The body of `Exchange.sent`; either may be given."""

    def __get__(self, exchange: Exchange | None, _: type[Exchange]) -> bytes:
        if exchange is None:
            raise AttributeError("an exchange has no request body by default")
        return exchange.sent.data

    def __set__(self, exchange: Exchange, body: bytes | RequestBody) -> None:
        exchange.sent = body if isinstance(body, RequestBody) else RequestBody(body)


@dataclass(repr=False)
class Exchange:
    """One attempt. The recorder appends to it while it runs; everybody else only reads.

    It ends in exactly one outcome: `outcome` goes from `None` to one value and stays.

    Attributes:
        id: Local id, unique in the history.
        number: Counts from 1 within the conversation.
        attempt: Counts from 1 within the turn.
        conversation_id: Empty when it belongs to none.
        turn_id: Empty when it belongs to none.
        method: HTTP method.
        url: Full URL.
        request_headers: As sent, in order; secret values masked.
        request_body: As sent; one that is kept on disk is read whenever it is asked for.
        sent: The same, with its size and its outline.
        started_at: Seconds since the epoch.
        status: HTTP status; `None` when no response came.
        http_version: e.g. `HTTP/1.1`.
        response_headers: As received, in order; secret values masked, see also `UNPACKED_HEADER`.
        chunks: The response body as it arrived; plain chunks that are given become a `Chunks`.
        events: The server-sent events in it, for a streamed response; likewise.
        timings: What happened when.
        outcome: `None` while it runs.
        error: A sentence when it did not complete.
        usage_line: The tokens in one short line once known, for lists.
        model: The model asked for; empty where a request names none.
        bookmarked: The user wants to find it again.
        note: The user's words about it.
    """

    id: str
    number: int
    attempt: int
    conversation_id: str
    turn_id: str
    method: str
    url: str
    request_headers: Headers
    request_body: _Whole = _Whole()
    sent: RequestBody = field(init=False, compare=False)
    # What has a descriptor has no default where that raises AttributeError (the manual of `dataclasses`).
    started_at: float  # pyright: ignore[reportGeneralTypeIssues]
    status: int | None = None
    http_version: str = ""
    response_headers: Headers = ()
    chunks: Chunks = field(default_factory=Chunks)
    events: Events = field(default=cast("Events", ()))
    timings: Timings = field(default_factory=Timings)
    outcome: Outcome | None = None
    error: str | None = None
    usage_line: str = ""
    model: str = ""
    bookmarked: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        """Take over what was given as plain sequences."""
        chunks, events = cast("Iterable[Chunk]", self.chunks), cast("Iterable[SseRecord]", self.events)
        self.chunks = chunks if isinstance(chunks, Chunks) else Chunks(chunks)
        self.events = events if isinstance(events, Events) else Events(self.chunks, events)

    def __repr__(self) -> str:
        """In short: neither bytes nor headers are shown."""
        return f"<Exchange {self.number}.{self.attempt} {self.method} {self.url}>"

    @property
    def response_body(self) -> bytes:
        """The response body so far, as it was sent; `chunks.body` gives a part of it at less expense."""
        return self.chunks.body()

    @property
    def request_id(self) -> str | None:
        """The server's id of the request: `x-request-id` (mantle) or `x-amzn-requestid` (runtime)."""
        headers = {name.lower(): value for name, value in self.response_headers}
        return headers.get("x-request-id") or headers.get("x-amzn-requestid")
