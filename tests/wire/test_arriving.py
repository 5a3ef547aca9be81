"""What came in one go is masked, noted and decoded together, as if each piece had come alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import accumulate, count
from time import monotonic

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.exchange import Chunks, Events, Exchange
from tui.core.items import Outcome
from tui.wire.arriving import Arriving
from tui.wire.recorder import AttemptLabel, RecordingTransport, attempt_label

TOKEN = "bedrock-api-key-" + "QUJD" * 40 + "=="


class Body(httpx.AsyncByteStream):
    """Pieces that all lie ready; then it ends, breaks or waits for ever."""

    def __init__(self, pieces: Sequence[bytes], then: str = "ends") -> None:
        self._pieces = pieces
        self._then = then
        self.read = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.read += 1
            yield piece
        if self._then == "breaks":
            raise httpx.ReadError("gone")
        if self._then == "waits":
            await asyncio.Event().wait()

    async def aclose(self) -> None:
        self.closed = True


class Canned(httpx.AsyncBaseTransport):
    def __init__(self, body: Body) -> None:
        self._body = body

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=self._body)


async def asked(body: Body) -> tuple[httpx.Response, Exchange]:
    ticks = count()
    recorder = RecordingTransport(
        Canned(body),
        number=lambda _: 1,
        new_id=lambda: "x",
        now=lambda: 0.0,
        monotonic=lambda: next(ticks) / 1e5,
    )
    label = AttemptLabel()
    reset = attempt_label.set(label)
    try:
        request = httpx.Request("GET", "https://a.test/", headers={"authorization": f"Bearer {TOKEN}"})
        response = await recorder.handle_async_request(request)
    finally:
        attempt_label.reset(reset)
    assert label.exchange is not None
    return response, label.exchange


@pytest.mark.parametrize("size", [1, 5, 16, 400])
async def test_what_came_together_is_recorded_piece_by_piece_and_the_token_in_none(size: int) -> None:
    whole = b"data: one\n\n" * 20 + f"data: your {TOKEN} is wrong\n\n".encode() + b"data: two\n\n" * 20
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    response, exchange = await asked(Body(pieces))
    handed = [piece async for piece in response.aiter_raw()]
    await response.aclose()
    expected = whole.replace(TOKEN.encode(), b"[token]")
    assert b"".join(handed) == exchange.response_body == expected
    assert len(handed) <= 3
    offsets = [chunk.offset for chunk in exchange.chunks]
    assert offsets == sorted(offsets)
    # The pieces before the token are noted one by one, each with its time.
    assert len(set(offsets[: 100 // size])) == 100 // size
    assert exchange.outcome is Outcome.COMPLETED


@pytest.mark.parametrize("then", ["waits", "breaks"])
async def test_what_had_come_when_nobody_reads_on_is_in_the_record_masked(then: str) -> None:
    body = Body([b"one ", TOKEN[:50].encode(), TOKEN[50:].encode(), b" two", TOKEN[:30].encode()], then)
    response, exchange = await asked(body)
    stream = response.aiter_raw()
    assert await anext(stream) == b"one [token] two"
    if then == "breaks":
        with pytest.raises(httpx.ReadError):
            await anext(stream)
    await response.aclose()
    await stream.aclose()  # type: ignore[attr-defined]
    assert exchange.response_body == b"one [token] two[token]"
    assert body.closed
    assert exchange.outcome is (Outcome.CANCELLED if then == "waits" else Outcome.FAILED)
    assert len(asyncio.all_tasks()) == 1


async def test_a_body_that_nobody_reads_is_not_read_ahead_without_end() -> None:
    body = Body([b"x" * 1000] * 1000)
    arriving = Arriving(body, lambda: 0.0)
    batches = arriving.batches()
    first = await anext(batches)
    for _ in range(5):
        await asyncio.sleep(0)
    assert body.read * 1000 < 150_000
    rest = [batch async for batch in batches]
    assert sum(len(batch.pieces) for batch in [first, *rest]) == body.read == 1000
    assert "xxx" not in repr(arriving)
    await arriving.stop()


class Paced(Body):
    """A piece each 2 ms."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in super().__aiter__():
            yield piece
            await asyncio.sleep(0.002)


async def test_a_fast_answer_is_handed_on_some_eighty_times_a_second_at_most() -> None:
    pieces = [b"%d " % number for number in range(200)]
    arriving = Arriving(Paced(pieces), monotonic)
    began = monotonic()
    batches = [batch async for batch in arriving.batches()]
    assert [piece for batch in batches for piece in batch.pieces] == pieces
    assert len(batches) <= (monotonic() - began) * 80 + 3


async def test_what_came_before_a_fast_answer_fell_silent_is_handed_on_soon() -> None:
    class Silent(Paced):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for piece in super().__aiter__():
                yield piece
            await asyncio.Event().wait()

    arriving = Arriving(Silent([b"x"] * 50), monotonic)
    came = 0
    async with asyncio.timeout(10):
        async for batch in arriving.batches():
            came += len(batch.pieces)
            if came == 50:
                break
    await arriving.stop()


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=30),
    st.lists(st.integers(1, 9), max_size=20),
    st.integers(0, 20),
)
def test_an_event_came_with_the_piece_that_completed_it(
    pieces: list[int], events: list[int], looked: int
) -> None:
    chunks = Chunks()
    size = sum(pieces)
    chunks.add_all([n / 1000 for n in range(len(pieces))], pieces, bytes(size))
    ends = list(accumulate(pieces))
    noted = Events(chunks)
    expected: list[float] = []
    start = 0
    for number, length in enumerate(events):
        if start + length > size:
            break
        start += length
        noted.note("a", start - length, start)
        expected.append(next(n for n, end in enumerate(ends) if end >= start) / 1000)
        if number == looked:
            # Looked at while it grows.
            assert noted[number].offset == expected[-1] == chunks.came(start)
    assert noted.offsets == [event.offset for event in noted] == expected
    # That is not kept for each.
    assert not noted.parts()[0][0]
    assert chunks.came(size + 1) is None
