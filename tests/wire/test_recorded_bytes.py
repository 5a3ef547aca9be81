"""What is recorded is what the server sent, byte for byte, wherever the stream is cut."""

from __future__ import annotations

import gzip
import random
import sys
import threading
import zlib
from collections.abc import AsyncIterator
from itertools import count

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.errors import WireError
from tui.core.events import AttemptStarted
from tui.core.exchange import UNPACKED_HEADER, Chunks, Events, Exchange
from tui.core.items import Outcome, Target
from tui.core.recorded_body import BLOCK
from tui.core.recorded_events import sse_data
from tui.sandbox.server import SandboxServer
from tui.widgets.inspection.pages import response_head
from tui.wire.client import ClientSettings, ResponsesClient
from tui.wire.decode import ResponsesDecoder
from tui.wire.recorder import AttemptLabel
from tui.wire.sse import SseDecoder

BODY = (
    b'{"model":"openai.gpt-5.4","input":"Reply with exactly: gr\xc3\xbcn basalt","stream":true,"store":false}'
)


@pytest.fixture
async def client(sandbox: SandboxServer) -> AsyncIterator[ResponsesClient]:
    target = Target("openai.gpt-5.4", "us-west-2", "mantle", f"http://127.0.0.1:{sandbox.port}/openai/v1")
    numbers = count(1)
    settings = ClientSettings(number=lambda _: next(numbers), new_id=lambda: "x", max_retries=0)
    made = ResponsesClient(target, lambda: "sandbox", settings)
    yield made
    await made.aclose()


async def record(client: ResponsesClient) -> Exchange:
    found: list[Exchange] = []
    try:
        async for event in client.stream(BODY, AttemptLabel("c", "t", 1, "openai.gpt-5.4")):
            if isinstance(event, AttemptStarted):
                found.append(event.exchange)
    except WireError:
        assert found
    return found[0]


async def test_fifty_streams_cut_at_random_bytes_are_recorded_byte_for_byte(
    sandbox: SandboxServer, client: ResponsesClient
) -> None:
    whole = await record(client)
    length = len(sandbox.log[-1].sent)
    assert whole.response_body == sandbox.log[-1].sent and length > 1000
    dice = random.Random(5)
    inside = 0
    for number in range(50):
        cut = dice.randrange(1, length)
        sandbox.fault({"cut_bytes": cut, **({"one_byte": True} if number % 10 == 0 else {})})
        exchange = await record(client)
        sent = sandbox.log[-1].sent[:cut]
        events = exchange.events
        shown = b"".join(exchange.chunks.body(event.start, event.end) for event in events)
        rest = exchange.chunks.body(events[-1].end if events else 0)
        assert shown + rest == sent
        assert b"".join(chunk.data for chunk in exchange.chunks) == exchange.response_body == sent
        inside += bool(rest)
    assert inside > 25  # the cuts are not at the events' ends


@given(
    st.lists(
        st.sampled_from([
            b"data", b"data:", b"data: ", b"event: a", b"\n", b"\r", b"\r\n", b"\n\n", b": x", b"{}", b"\xff",
            b" ", "ü".encode(), b"id: 1", b"\xef\xbb\xbf",
        ]),
        max_size=30,
    ),
    st.randoms(),
)  # fmt: skip
def test_the_bytes_of_an_event_say_its_data(parts: list[bytes], dice: random.Random) -> None:
    stream = b"".join(parts)
    decoder = SseDecoder()
    at = 0
    events = []
    while at < len(stream):
        size = dice.randint(1, 7)
        events += decoder.feed(stream[at : at + size])
        at += size
    if (last := decoder.finish()) is not None:
        events.append(last)
    for event in events:
        assert sse_data(stream[event.start : event.end]) == event.data.decode("utf-8", "replace")


PACKED = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "gzip, deflate": lambda data: zlib.compress(gzip.compress(data)),
    # Whoever has a reader of it has the token.
    "br": lambda data: bytes(255 - byte for byte in data),
}


@pytest.mark.parametrize("encoding", PACKED)
async def test_a_token_in_a_packed_answer_is_in_no_record(encoding: str) -> None:
    """It is unpacked before it is recorded; what cannot be unpacked is not recorded at all."""
    token = "bedrock-api-key-" + "QUJD" * 40 + "=="
    delta = (
        f'data: {{"type":"response.output_text.delta","item_id":"m","output_index":0,"delta":"{token}"}}\n\n'
    )
    end = 'data: {"type":"response.completed","response":{"status":"completed"}}\n\n'
    stream = (delta + end).encode()
    body = PACKED[encoding](stream)
    headers = {"content-type": "text/event-stream", "content-encoding": encoding}
    headers["content-length"] = str(len(body))

    for status in (200, 400):

        def answer(request: httpx.Request, status: int = status) -> httpx.Response:
            return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

        target = Target("m", "us-west-2", "mantle", "https://host.invalid/openai/v1")
        settings = ClientSettings(number=lambda _: 1, new_id=lambda: "x")
        made = ResponsesClient(target, lambda: token, settings, transport=httpx.MockTransport(answer))
        exchange = await record(made)
        await made.aclose()
        kept = dict(exchange.response_headers)
        if encoding == "br":
            assert exchange.response_body == b"" and kept["content-encoding"] == "br"
            continue
        assert exchange.response_body == stream.replace(token.encode(), b"[token]")
        assert (kept.get("content-encoding"), kept[UNPACKED_HEADER]) == (None, encoding)
        assert kept["content-length"] == str(len(body))
        if status == 200:
            assert exchange.outcome is Outcome.COMPLETED
            assert exchange.events[1].data == end.removeprefix("data: ").strip()
            (said,) = [row.text for row in response_head(exchange) if "came packed" in row.text]
            assert encoding in said


def test_a_long_body_is_read_in_any_part_and_takes_little_memory() -> None:
    dice = random.Random(2)
    pieces = [b"event: x\ndata: %d\n\n" % n * dice.randint(1, 9) for n in range(20_000)]
    whole = b"".join(pieces)
    chunks = Chunks()
    events = Events(chunks)
    for number, piece in enumerate(pieces):
        chunks.add(number / 1000, piece)
        events.add(number / 1000, f"type {number % 5}", chunks.size - len(piece), chunks.size)
    assert len(whole) > 5 * BLOCK and chunks.body() == whole
    for _ in range(200):
        start, end = sorted(dice.randrange(len(whole) + 9) for _ in "ab")
        assert chunks.body(start, end) == whole[start:end]
    assert [chunk.data for chunk in chunks[9_990:10_010]] == pieces[9_990:10_010]
    assert chunks[-1].data == pieces[-1] and chunks[-1].offset == 19.999
    assert events[-1].data == sse_data(pieces[-1]) and events[-1].type == "type 4"
    assert [event.offset for event in events.of_types("type 3")][:2] == [0.003, 0.008]
    again = Chunks.restored(*chunks.parts(), len(whole))
    assert again.body() == whole and again == chunks
    assert sum(map(len, chunks.parts()[2])) < len(whole) / 5


def test_who_reads_while_the_body_grows_sees_a_beginning_of_it() -> None:
    pieces = [b"event: x\ndata: %d\n\n" % (number % 7) * (number % 11 + 1) for number in range(6000)]
    whole = b"".join(pieces)
    chunks = Chunks()
    events = Events(chunks)
    decoder = ResponsesDecoder()
    wrong: list[str] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            count = len(events)
            body = chunks.body()
            times, ends, _, _ = chunks.parts()
            if not whole.startswith(body):
                wrong.append("the body")
            if len(times) != len(ends) or list(ends) != sorted(ends):
                wrong.append("the pieces")
            if count:
                last, offsets = events[-1].data, events.offsets
                if last not in "0123456" or offsets != sorted(offsets):
                    wrong.append(f"an event: {last!r}, {len(offsets)} times")

    readers = [threading.Thread(target=read) for _ in range(2)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for reader in readers:
            reader.start()
        for number in range(0, len(pieces), 3):
            some = pieces[number : number + 3]
            times = [(number + at) / 1000 for at in range(len(some))]
            chunks.add_all(times, [*map(len, some)], b"".join(some))
            events.note_all(list(decoder.feed(b"".join(some))), decoder)
    finally:
        ended.set()
        for reader in readers:
            reader.join()
        sys.setswitchinterval(before)
    assert not wrong[:3]
    assert chunks.body() == whole and [chunk.data for chunk in chunks] == pieces
    assert [event.data for event in events] == [str(n % 7) for n in range(6000) for _ in range(n % 11 + 1)]
    assert [chunk.offset for chunk in chunks] == [number / 1000 for number in range(6000)]
    assert events.offsets == [number / 1000 for number in range(6000) for _ in range(number % 11 + 1)]
