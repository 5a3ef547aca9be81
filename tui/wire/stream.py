"""A response body to stream events, with the limits that neither httpx nor the SDK keeps.

The SDK raises nothing for a stream that ends without a terminal event, and a server that sends only
keep-alives never times out (hazards.md, "What the openai SDK does with bad streams").
"""

from __future__ import annotations

import asyncio
from array import array
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import httpx

from tui.core.errors import SilenceError, StreamError, WireError
from tui.core.events import ResponseEnded, ServerError, Silence, StreamEvent, TextDelta
from tui.core.exchange import Exchange
from tui.core.items import Outcome
from tui.core.keys_first import rest_for
from tui.core.text import visible_line
from tui.wire.body_decoder import BodyDecoder, Piece
from tui.wire.failures import from_server_error, from_transport
from tui.wire.masking import DeltaMask
from tui.wire.merging import merge_waiting
from tui.wire.progress import Progress
from tui.wire.recorder import finish
from tui.wire.redact import Redactor

__all__ = ["StreamLimits", "end_as", "read_stream"]

# How long to go on reading after the terminal event, so that the record holds every byte sent.
_AFTER_THE_END: Final = 0.25

_MUCH: Final = 8192
"""Bytes at once from which an answer comes faster than anybody reads."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Limits on silence.

    Attributes:
        idle_timeout: Longest gap between two events, seconds.
        silence_notice: After how many seconds without an event `Silence` is yielded, and again each time.
        monotonic: The clock, seconds.
    """

    idle_timeout: float
    silence_notice: float
    monotonic: Callable[[], float]


class _Seen:
    """Which events have come, by number and hash of their data.

    Args:
        first: The number that is expected first. Numbers follow each other, so that an array holds them in
            eight bytes each; one that leaves a gap goes in a dictionary.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._hashes = array("q")
        self._beyond: dict[int, int] = {}

    def again(self, number: int, digest: int) -> bool:
        """Note an event; returns whether the one of that number that came last was the same."""
        at = number - self._first
        if at == len(self._hashes) and number not in self._beyond:
            self._hashes.append(digest)
            return False
        if 0 <= at < len(self._hashes):
            before, self._hashes[at] = self._hashes[at], digest
            return before == digest
        same = self._beyond.get(number) == digest
        self._beyond[number] = digest
        return same


class _Reader:
    """Reads the body in a task of its own and leaves decoded events in `ready`."""

    def __init__(
        self,
        response: httpx.Response,
        exchange: Exchange,
        decoder: BodyDecoder[Any],
        clock: Callable[[], float],
        after: int,
    ) -> None:
        self._response = response
        self._exchange = exchange
        self._clock = clock
        self._after = after
        self._decoder = decoder
        self._seen = _Seen(after + 1)
        self.ready: deque[StreamEvent] = deque()
        self.wake = asyncio.Event()
        self.error: WireError | None = None
        self.terminal: ResponseEnded | None = None
        self.ended = False

    async def run(self) -> None:
        try:
            async for piece in self._response.aiter_bytes():
                self._take_all(list(self._decoder.feed(piece)))
                if self.ready:
                    self.wake.set()
                if len(piece) > _MUCH and (rest := rest_for()):
                    await asyncio.sleep(rest)
            if (last := self._decoder.finish()) is not None:
                self._take_last(last)
            self._end()
        except (httpx.HTTPError, OSError) as error:
            # TLS that breaks within an answer is the system's own error.
            if not self.is_whole():
                self.error = from_transport(error, self._exchange.url)
        except WireError as error:
            if self.terminal is None:
                self.error = error
        finally:
            self.ended = True
            self.wake.set()

    def is_whole(self) -> bool:
        """Whether the answer is, although nothing more comes: some APIs tell its end before its usage."""
        self._pass_on(self._decoder.ended(), None)
        return self.terminal is not None

    def _end(self) -> None:
        if not self.is_whole():
            raise StreamError(
                "The stream ended before the answer did: no final event came. What had come is kept.",
                code="cut",
            )

    def _take_all(self, events: Sequence[Piece]) -> None:
        """Pass on what the events say, and record them: up to one that cannot be read."""
        taken = 0
        try:
            for event in events:
                taken += 1
                self._take(event)
        finally:
            self._exchange.events.note_all(events[:taken], self._decoder)

    def _take(self, event: Piece) -> None:
        decoded, number = self._decoder.read(event)
        if number is not None:
            if number <= self._after:
                return
            if self._seen.again(number, hash(event.data)):
                return
        self._pass_on(decoded, event.end)
        if number is None and self.terminal is None and self._decoder.is_last(event):
            # The server may leave the connection open for long.
            self._end()

    def _pass_on(self, decoded: Iterable[StreamEvent], end: int | None) -> None:
        """Leave what an event says that ends at `end` of the body; `None` for what its end says."""
        for event in decoded:
            if self.terminal is not None:
                return
            if isinstance(event, TextDelta) and self._exchange.timings.first_text is None:
                self._exchange.timings.first_text = self._moment(end)
            if isinstance(event, ServerError):
                raise from_server_error(event, self._exchange.request_id)
            if isinstance(event, ResponseEnded):
                self.terminal = event
                end_as(self._exchange, event, self._moment(end))
            self.ready.append(event)

    def _moment(self, end: int | None) -> float:
        came = None if end is None else self._exchange.chunks.came(end)
        # Of the pieces the record keeps microseconds.
        return self._clock() if came is None else max(came, self._exchange.timings.first_byte or 0.0)

    def _take_last(self, event: Piece) -> None:
        """An event whose end mark never came counts only if its data is whole."""
        try:
            self._take_all([event])
        except StreamError:
            return


async def read_stream(
    response: httpx.Response,
    exchange: Exchange,
    decoder: BodyDecoder[Any],
    clock: Callable[[], float],
    limits: StreamLimits,
    after: int = -1,
    redactor: Redactor | None = None,
) -> AsyncGenerator[StreamEvent | Silence, None]:
    """Yield the events of a streamed response and end its exchange.

    An event that comes twice (same `sequence_number`, same data) is recorded twice and yielded once; one
    that an earlier stream brought (`sequence_number` up to `after`) is recorded and not yielded. `decoder`
    takes the body apart; `redactor` masks the token where it comes cut across deltas.

    Raises:
        StreamError: The stream broke, held something unreadable, or ended without a terminal event.
        ResponseError: The server sent an `error` event.
        SilenceError: No event came for `limits.idle_timeout` seconds.
    """
    reader = _Reader(response, exchange, decoder, clock, after)
    progress = Progress()
    mask = DeltaMask(redactor or Redactor(""))
    task = asyncio.create_task(reader.run())
    try:
        last = limits.monotonic()
        while True:
            merge_waiting(reader.ready)
            while reader.ready:
                came = reader.ready.popleft()
                if progress.is_made(came):
                    last = limits.monotonic()
                for event in mask.pass_on(came):
                    yield event
            if reader.error is not None:
                for event in mask.rest():
                    yield event
                raise reader.error
            if reader.terminal is not None:
                break
            if reader.ended:
                # By a fault of ours: it is raised here.
                await task
            reader.wake.clear()
            silent = await _wait(reader.wake, last, limits)
            if isinstance(silent, SilenceError):
                if not reader.is_whole():
                    reader.error = silent
            elif silent is not None:
                yield silent
        if not reader.ended:
            await asyncio.wait([task], timeout=_AFTER_THE_END)
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _wait(wake: asyncio.Event, last: float, limits: StreamLimits) -> Silence | SilenceError | None:
    """Wait for the reader, at most until the next moment at which silence has to be said or ended."""
    passed = limits.monotonic() - last
    if passed >= limits.idle_timeout:
        return SilenceError(
            f"The server sent nothing for {limits.idle_timeout:g} s and was given up. What had come is kept.",
            code="silence",
        )
    until_notice = limits.silence_notice - passed % limits.silence_notice
    try:
        async with asyncio.timeout(min(until_notice, limits.idle_timeout - passed)):
            await wake.wait()
    except TimeoutError:
        passed = limits.monotonic() - last
        return Silence(passed) if passed < limits.idle_timeout else None
    return None


def end_as(exchange: Exchange, event: ResponseEnded, offset: float) -> None:
    """End an exchange as its answer ended."""
    finish(exchange, _outcome(event), offset, _why(event))


def _outcome(event: ResponseEnded) -> Outcome:
    try:
        return Outcome(event.status)
    except ValueError:
        return Outcome.FAILED


def _why(event: ResponseEnded) -> str | None:
    if event.status == "completed":
        return None
    error: object = event.response.get("error")
    if isinstance(error, Mapping):
        return visible_line(str(cast("Mapping[str, object]", error).get("message") or ""))
    return f"The response came back {event.status}."
