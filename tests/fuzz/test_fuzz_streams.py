"""What servers stream, broken in every way: the same events however it is cut, and one kind of error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import strategies as st
from support.frames import event as aws_event
from support.frames import exception as aws_exception
from support.frames import frame
from support.fuzzing import SECONDS, broken_everywhere, cut_anywhere, fuzz, hostile_json, mutated

from tui.core.assembly import Assembly
from tui.core.errors import StreamError, WireError
from tui.core.events import ArgumentsDelta, ReasoningDelta, ResponseEnded, TextDelta, Unknown
from tui.core.exchange import Exchange
from tui.core.items import Turn
from tui.wire.chat_completions import ChunkDecoder
from tui.wire.completion_answer import completion_events
from tui.wire.converse import ConverseDecoder, _whole_answer
from tui.wire.decode import ResponsesDecoder, decode
from tui.wire.event_stream import DAMAGED, EventStreamDecoder, Frame
from tui.wire.redact import Redactor
from tui.wire.sse import SseDecoder, SseEvent
from tui.wire.stream import StreamLimits, read_stream

# -- server-sent events against a reference --------------------------------------------------------------


def reference(stream: bytes) -> list[tuple[str, bytes]]:
    """The events of a stream, a byte at a time, straight from the WHATWG text ("Parsing an event stream").

    It knows nothing of pieces, and of what never was ended by a blank line it gives nothing.
    """
    if stream[:3] == b"\xef\xbb\xbf":
        stream = stream[3:]
    lines: list[bytes] = []
    line = b""
    at = 0
    while at < len(stream):
        byte = stream[at : at + 1]
        at += 1
        if byte == b"\r":
            if stream[at : at + 1] == b"\n":
                at += 1
        elif byte != b"\n":
            line += byte
            continue
        lines.append(line)
        line = b""
    events: list[tuple[str, bytes]] = []
    data, kind = b"", b""
    for line in lines:
        if line == b"":
            if data:
                events.append((kind.decode("utf-8", "replace"), data[:-1]))
            data, kind = b"", b""
        elif line.startswith(b":"):
            continue
        else:
            field, value = line, b""
            if b":" in line:
                field, value = line[: line.index(b":")], line[line.index(b":") + 1 :]
                if value[:1] == b" ":
                    value = value[1:]
            if field == b"data":
                data += value + b"\n"
            elif field == b"event":
                kind = value
    return events


SSE_PARTS = (
    b"data", b"data:", b"data: ", b"event:", b"event: response.completed", b"id: 1", b"retry: 9",
    b": ping", b":",
    b"\n", b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b" ", b"\xef\xbb\xbf", b"\xef", b"\xbb", b"\0",
    b"\xff",
    "é\u2028".encode(), b"{}", b"[DONE]", b"Data: x", b" data: x", b"data :x", b"x",
)  # fmt: skip
sse_streams = mutated(st.lists(st.sampled_from(SSE_PARTS), max_size=25).map(b"".join), SSE_PARTS)


def plain(events: Iterable[SseEvent]) -> list[tuple[str, bytes]]:
    return [(event.event, event.data) for event in events]


@fuzz(cut_anywhere(sse_streams), examples=60)
def test_server_sent_events_are_those_of_the_standard_however_they_are_cut(
    document: tuple[bytes, list[bytes]],
) -> None:
    stream, pieces = document
    decoder = SseDecoder()
    fed = [event for piece in pieces for event in decoder.feed(piece)]
    last = decoder.finish()
    events = fed if last is None else [*fed, last]
    # At the end an event is given that the standard drops, as if its blank line had come.
    assert plain(events) == reference(stream + b"\n\n")
    # Nothing that is whole waits, but for a CR that may be half of a CRLF.
    assert plain(fed) == reference(stream.removesuffix(b"\r"))
    assert decoder.finish() is None
    at = 3 if stream.startswith(b"\xef\xbb\xbf") else 0
    for event in events:
        assert at <= event.start < event.end <= len(stream)
        assert reference(stream[event.start : event.end] + b"\n\n")[-1] == (event.event, event.data)
        at = event.end


# -- one event -------------------------------------------------------------------------------------------

MESSAGE = {
    "id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
    "content": [{"type": "output_text", "text": "Grüße", "annotations": []}],
}  # fmt: skip
USAGE = {
    "input_tokens": 9, "input_tokens_details": {"cached_tokens": 1}, "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 14,
}  # fmt: skip
RESPONSE = {
    "id": "resp_1", "object": "response", "status": "completed", "model": "m", "store": True, "error": None,
    "incomplete_details": None, "output": [MESSAGE], "usage": USAGE,
}  # fmt: skip
RESPONSES: tuple[dict[str, Any], ...] = (
    {"type": "response.created", "sequence_number": 0, "response": {**RESPONSE, "status": "in_progress"}},
    {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0,
     "item": {"id": "rs_1", "type": "reasoning", "summary": []}},
    {"type": "response.reasoning_summary_text.delta", "sequence_number": 2, "output_index": 0,
        "item_id": "rs_1",
     "summary_index": 0, "delta": "Hm"},
    {"type": "response.output_item.done", "sequence_number": 3, "output_index": 0,
     "item": {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"}},
    {"type": "response.output_item.added", "sequence_number": 4, "output_index": 1,
     "item": {"id": "msg_1", "type": "message", "content": []}},
    {"type": "response.output_text.delta", "sequence_number": 5, "output_index": 1, "item_id": "msg_1",
     "content_index": 0, "delta": "Grü"},
    {"type": "response.output_text.delta", "sequence_number": 6, "output_index": 1, "item_id": "msg_1",
     "content_index": 0, "delta": "ße"},
    {"type": "response.refusal.delta", "sequence_number": 7, "output_index": 1, "item_id": "msg_1",
        "delta": "no"},
    {"type": "response.function_call_arguments.delta", "sequence_number": 8, "output_index": 2,
        "item_id": "f",
     "delta": "{}"},
    {"type": "response.output_item.done", "sequence_number": 9, "output_index": 1, "item": MESSAGE},
    {"type": "error", "sequence_number": 10, "code": "server_error", "message": "broke", "param": None},
    {"type": "response.completed", "sequence_number": 11, "response": RESPONSE},
    {"type": "response.failed", "sequence_number": 12,
     "response": {**RESPONSE, "status": "failed", "error": {"code": "server_error", "message": "no"}}},
    {"type": "response.incomplete", "sequence_number": 13,
     "response": {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}},
    {"error": {"code": "c", "message": "bare"}},
    {"type": "response.unheard.of", "sequence_number": 14, "note": "kept"},
)  # fmt: skip
NAMES = st.sampled_from(
    ["", "error", "message", "\x1b", *(str(event.get("type", "")) for event in RESPONSES)]
)


@fuzz(NAMES, mutated(hostile_json(st.sampled_from(RESPONSES))), examples=60)
def test_an_event_is_read_or_refused_in_one_sentence(name: str, data: bytes) -> None:
    check_event(name, data)


def test_an_event_with_anything_in_any_place_is_read_or_refused_in_one_sentence() -> None:
    for event in RESPONSES:
        for data in broken_everywhere(event, 1.0 if SECONDS else 0.4):
            check_event(str(event.get("type", "")), data)


def check_event(name: str, data: bytes) -> None:
    try:
        event, number = decode(SseEvent(name, data, 0, len(data)))
    except StreamError as error:
        assert error.code == "bad_stream" and "\n" not in str(error)
        return
    said = json.loads(data.decode("utf-8"))
    assert number is None or (number == said["sequence_number"] and type(number) is int and number >= 0)
    if isinstance(event, Unknown):
        kind = said.get("type")
        assert event.type == (kind if isinstance(kind, str) else name)
    assembly = Assembly(store=True)
    assembly.take(event)
    turn = assembly.onto(Turn("t", None, (), 0.0))
    for item in turn.output:
        assert isinstance(item.payload, dict) and isinstance(item.type, str)
        item.text.encode()  # what cannot be written as UTF-8 cannot be kept or sent again
    assert all(
        isinstance(text, str) for text in (turn.text, turn.reasoning, turn.refusal, assembly.error or "")
    )
    quote(turn.response_id or "")


# -- whole streams, over each of the APIs ----------------------------------------------------------------

CHUNK = {"id": "c_1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
CHUNKS: tuple[dict[str, Any], ...] = (
    {**CHUNK, "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""},
        "finish_reason": None}]},
    {**CHUNK, "choices": [{"index": 0, "delta": {"content": "<reasoning>Hm</rea"}, "finish_reason": None}]},
    {**CHUNK, "choices": [{"index": 0, "delta": {"content": "soning>Grü"}, "finish_reason": None}]},
    {**CHUNK, "choices": [{"index": 0, "delta": {"content": "ße"}, "finish_reason": None}]},
    {**CHUNK, "choices": [{"index": 0, "delta": {"refusal": "no"}, "finish_reason": None}]},
    {**CHUNK, "choices": [{"index": 0, "finish_reason": None, "delta": {"tool_calls": [
        {"index": 0, "id": "call_1", "function": {"name": "look", "arguments": '{"a"'}}]}}]},
    {**CHUNK, "choices": [{"index": 0, "finish_reason": None, "delta": {"tool_calls": [
        {"index": 0, "function": {"arguments": ":1}"}}]}}]},
    {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {**CHUNK, "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14,
                                       "prompt_tokens_details": {"cached_tokens": 1}}},
    {"error": {"message": "broke", "code": "server_error"}},
)  # fmt: skip
FRAMES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm"}}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "<reasoning>a</rea"}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "soning>Grüße"}}),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t", "name": "look"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"a":1}'}}}),
    ("contentBlockStop", {"contentBlockIndex": 2}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14},
        "metrics": {"latencyMs": 3},
                  "trace": {"guardrail": {"inputAssessment": {}}}}),
)  # fmt: skip


def sse(name: str, data: bytes) -> bytes:
    return (b"event: " + name.encode() + b"\n" if name else b"") + b"data: " + data + b"\n\n"


@st.composite
def some_of(draw: st.DrawFn, all_of: Sequence[Any]) -> list[Any]:
    """Mostly all of them in order; now and then some are missing, come twice or in another order."""
    kept = list(all_of)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(kept) - 1)) if kept else 0
        match draw(st.sampled_from(["drop", "double", "move"])):
            case "drop":
                kept[at : at + 1] = []
            case "double":
                kept[at:at] = kept[at : at + 1]
            case _:
                kept.insert(draw(st.integers(0, len(kept))), kept.pop(at)) if kept else None
    return kept


@st.composite
def responses_streams(draw: st.DrawFn) -> bytes:
    chosen = draw(
        some_of([event for event in RESPONSES if event.get("type") != "error" and "error" not in event])
    )
    bodies = [draw(hostile_json(st.just(event))) if draw(st.integers(0,
    5)) == 0 else json.dumps(event).encode()
              for event in chosen]  # fmt: skip
    return b"".join(sse(str(event.get("type", "")), body) for event, body in zip(chosen, bodies, strict=True))


@st.composite
def chunk_streams(draw: st.DrawFn) -> bytes:
    chosen = draw(some_of(CHUNKS[:-1]))
    bodies = [draw(hostile_json(st.just(event))) if draw(st.integers(0,
    4)) == 0 else json.dumps(event).encode()
              for event in chosen]  # fmt: skip
    return b"".join(sse("", body) for body in bodies) + draw(st.sampled_from([b"data: [DONE]\n\n", b""]))


@st.composite
def frame_streams(draw: st.DrawFn) -> bytes:
    made: list[bytes] = []
    for kind, payload in draw(some_of(FRAMES)):
        body = draw(hostile_json(st.just(payload))) if draw(st.integers(0, 4)) == 0 else None
        if body is None:
            made.append(aws_event(kind, payload))
            continue
        given = {
            ":event-type": kind,
            ":message-type": draw(st.sampled_from(["event", "exception", "error", "x"])),
        }
        wrong = draw(
            st.sampled_from(
                [{}, {}, {}, {"total": 15}, {"total": 2**31}, {"headers_size": 2**20}, {"crc": 1}]
            )
        )
        made.append(frame(given, body, **wrong))
    if draw(st.integers(0, 3)) == 0:
        made.append(aws_exception("throttlingException", {"message": "slow down"}))
    if draw(st.integers(0, 3)) == 0:
        made.append(frame(draw(st.binary(max_size=30)), b"{}"))
    return b"".join(made)


class _Body(httpx.AsyncByteStream):
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def outcome(pieces: list[bytes], decoder: Any) -> tuple[Turn, Any, str, int]:
    """What a body comes to: the turn, how it ended, what was said, how many events were recorded."""
    exchange = Exchange("x", 1, 1, "c", "t", "POST", "https://host/v1/responses", (), b"", 0)
    assembly = Assembly(store=False)
    error = ""
    ends = 0

    async def read() -> None:
        nonlocal error, ends
        response = httpx.Response(200, stream=_Body(pieces))
        limits = StreamLimits(5.0, 5.0, lambda: 0.0)
        try:
            async for event in read_stream(response, exchange, decoder, lambda: 0.0, limits):
                assert not ends, "an event came after the last one"
                ends += isinstance(event, ResponseEnded)
                if not hasattr(event, "seconds"):
                    assembly.take(event)
        except WireError as failure:
            error = str(failure)
            assert error and not ends

    asyncio.run(read())
    assert ends == (not error)
    turn = assembly.onto(Turn("t", None, (), 0.0))
    for item in turn.output:
        item.text.encode()
    return turn, (assembly.outcome, assembly.error), error, len(exchange.events)


def same_however_cut(document: tuple[bytes, list[bytes]], decoder: Callable[[], Any]) -> None:
    whole, pieces = document
    assert outcome(pieces, decoder()) == outcome([whole], decoder())


@fuzz(cut_anywhere(mutated(responses_streams())), examples=30, weight=1.5)
def test_a_stream_of_responses_ends_in_one_way_however_it_is_cut(document: tuple[bytes, list[bytes]]) -> None:
    same_however_cut(document, ResponsesDecoder)


@fuzz(cut_anywhere(mutated(chunk_streams())), examples=30, weight=1.5)
def test_a_stream_of_chat_completions_ends_in_one_way_however_it_is_cut(
    document: tuple[bytes, list[bytes]],
) -> None:
    same_however_cut(document, lambda: ChunkDecoder(Redactor("")))


@fuzz(cut_anywhere(mutated(frame_streams())), examples=30, weight=1.5)
def test_a_stream_of_converse_ends_in_one_way_however_it_is_cut(document: tuple[bytes, list[bytes]]) -> None:
    same_however_cut(document, lambda: ConverseDecoder(Redactor("")))


@fuzz(cut_anywhere(mutated(frame_streams())), examples=40)
def test_frames_of_an_event_stream_tile_it_up_to_the_damage(document: tuple[bytes, list[bytes]]) -> None:
    stream, pieces = document

    def frames(cut: Iterable[bytes]) -> list[Frame]:
        decoder = EventStreamDecoder()
        found = [each for piece in cut for each in decoder.feed(piece)]
        last = decoder.finish()
        return found if last is None else [*found, last]

    found, whole = frames(pieces), frames([stream])
    assert [(one.message, one.kind, one.data, one.start) for one in found] == [
        (one.message, one.kind, one.data, one.start) for one in whole
    ]
    at = 0
    for number, one in enumerate(found):
        assert one.start == at and one.end <= len(stream)
        assert one.message != DAMAGED or number == len(found) - 1
        at = one.end
    assert not stream or (found and (found[-1].message == DAMAGED or at == len(stream)))


# -- answers that come whole -----------------------------------------------------------------------------

COMPLETION = {
    "id": "c", "object": "chat.completion", "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {
            "role": "assistant", "content": "<reasoning>Hm</reasoning>Grüße", "refusal": None,
            "tool_calls": [{"id": "call", "type": "function", "function": {"name": "look",
            "arguments": "{}"}}]}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14,
              "completion_tokens_details": {"reasoning_tokens": 1}},
    "amazon-bedrock-guardrailAction": "INTERVENED",
}  # fmt: skip
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [
        {"reasoningContent": {"reasoningText": {"text": "Hm"}}}, {"text": "<reasoning>a</reasoning>Grüße"},
        {"toolUse": {"toolUseId": "t", "name": "look", "input": {"a": 1}}}]}},
    "stopReason": "end_turn", "usage": {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14},
    "metrics": {"latencyMs": 3}, "trace": {"guardrail": {"actionReason": "x",
    "outputAssessments": {"g": [{}]}}},
}  # fmt: skip


def check_answer(data: bytes, read: Callable[[dict[str, Any]], Sequence[Any]]) -> None:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(body, dict):
        return
    try:
        events = read(body)
    except WireError as error:
        assert str(error)
        return
    assembly = Assembly(store=False)
    for event in events:
        assembly.take(event)
    assert isinstance(events[-1], ResponseEnded) and assembly.outcome is not None
    turn = assembly.onto(Turn("t", None, (), 0.0))
    said = "".join(
        event.delta for event in events if isinstance(event, (TextDelta, ReasoningDelta, ArgumentsDelta))
    )
    assert len(said) >= len(turn.text) - len(assembly.partial_text)
    for item in turn.output:
        item.text.encode()


def read_completion(data: bytes) -> None:
    check_answer(data, lambda body: completion_events(body, Redactor("")))


def read_converse(data: bytes) -> None:
    check_answer(data, lambda body: _whole_answer(body, Redactor("")))


def test_a_piece_of_an_answer_with_anything_in_any_place_is_read_or_refused() -> None:
    share = 1.0 if SECONDS else 0.2
    for chunk in CHUNKS:
        for data in broken_everywhere(chunk, share):
            whole = [*map(json.dumps, CHUNKS[:5]), data.decode(), *map(json.dumps, CHUNKS[5:8])]
            decoder = ChunkDecoder(Redactor(""))
            read_all(decoder, [SseEvent("", each.encode(), 0, 0) for each in whole])
    for kind, payload in FRAMES:
        for data in broken_everywhere(payload, share):
            wire = b"".join([*(aws_event(*each) for each in FRAMES[:5]), frame({":event-type": kind}, data)])
            made = ConverseDecoder(Redactor(""))
            read_all(made, list(made.feed(wire + aws_event("messageStop", {"stopReason": "end_turn"}))))


def read_all(decoder: Any, events: list[Any]) -> None:
    assembly = Assembly(store=False)
    try:
        for event in [*(one for each in events for one in decoder.read(each)[0]), *decoder.ended()]:
            assembly.take(event)
    except StreamError:
        pass
    assert isinstance(assembly.onto(Turn("t", None, (), 0.0)).text, str)


def test_a_whole_answer_with_anything_in_any_place_is_an_answer_or_a_sentence() -> None:
    for data in broken_everywhere(COMPLETION, 1.0 if SECONDS else 0.4):
        read_completion(data)
    for data in broken_everywhere(CONVERSED, 1.0 if SECONDS else 0.4):
        read_converse(data)


@fuzz(hostile_json(st.just(COMPLETION)), examples=40)
def test_a_completion_is_an_answer_or_a_sentence(data: bytes) -> None:
    read_completion(data)


@fuzz(hostile_json(st.just(CONVERSED)), examples=40)
def test_a_whole_answer_of_converse_is_an_answer_or_a_sentence(data: bytes) -> None:
    read_converse(data)
