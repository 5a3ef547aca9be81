"""ConverseStream's bodies: cut, damaged and ended anywhere, each ends in one outcome, with what came kept."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import pytest
from support.frames import event, exception, frame

from tui.core.apis.converse_answer import answer_events
from tui.core.assembly import Assembly
from tui.core.errors import WireError
from tui.core.events import OutputItemDone, ReasoningDelta, ResponseEnded, TextDelta
from tui.core.exchange import Exchange
from tui.core.items import Outcome, Turn, Usage
from tui.wire.converse import ConverseDecoder
from tui.wire.recorder import finish
from tui.wire.redact import Redactor
from tui.wire.stream import StreamLimits, read_stream

TEXT, REASONING = "Grüße, 世界. It rains.", "The user asks about rain."


def delta(index: int, said: Any, **more: str) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": said, **more})


COUNTS = {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14}
FRAMES = (
    event("messageStart", {"role": "assistant", "p": "abc"}),
    delta(0, {"reasoningContent": {"text": REASONING[:9]}}),
    delta(0, {"reasoningContent": {"text": REASONING[9:]}}),
    event("contentBlockStop", {"contentBlockIndex": 0, "p": "abcdefghijklmnop"}),
    delta(1, {"text": TEXT[:8]}, p="ab"),
    delta(1, {"text": TEXT[8:]}),
    event("contentBlockStop", {"contentBlockIndex": 1}),
    event(
        "contentBlockStart",
        {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t_1", "name": "look"}}},
    ),
    delta(2, {"toolUse": {"input": '{"a":'}}),
    delta(2, {"toolUse": {"input": "1}"}}),
    event("contentBlockStop", {"contentBlockIndex": 2}),
    event("messageStop", {"stopReason": "tool_use"}),
    event("metadata", {"usage": COUNTS, "metrics": {"latencyMs": 3}}),
)
BODY = b"".join(FRAMES)
EDGES = list(itertools.accumulate(map(len, FRAMES), initial=0))


class Body(httpx.AsyncByteStream):
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


class Read:
    """What became of a body: the turn, the exchange, the events and the error."""

    def __init__(self) -> None:
        url = "https://host/model/m/converse-stream"
        self.exchange = Exchange("x", 1, 1, "c", "t", "POST", url, (), b"", 0)
        self.events: list[Any] = []
        self.error: WireError | None = None

    @property
    def turn(self) -> Turn:
        assembly = Assembly(store=False)
        for each in self.events:
            assembly.take(each)
        return assembly.onto(Turn("t", None, (), 0.0))

    @property
    def ended(self) -> ResponseEnded:
        (last,) = [each for each in self.events if isinstance(each, ResponseEnded)]
        return last


async def read(*pieces: bytes) -> Read:
    made = Read()
    response = httpx.Response(200, stream=Body(pieces))
    limits = StreamLimits(5.0, 5.0, lambda: 0.0)
    try:
        async with asyncio.timeout(5):
            async for each in read_stream(
                response, made.exchange, ConverseDecoder(Redactor("")), lambda: 0.0, limits
            ):
                made.events.append(each)
    except WireError as error:
        made.error = error
        finish(made.exchange, Outcome.FAILED, 0.0, str(error))
    made.exchange.chunks.add(0.0, b"".join(pieces))
    return made


def check_whole(made: Read) -> None:
    turn = made.turn
    assert made.error is None
    assert (turn.text, turn.reasoning, turn.partial_text) == (TEXT, REASONING, "")
    assert [item.type for item in turn.output] == ["reasoning", "message", "function_call"]
    call = turn.output[2].payload
    assert (call["call_id"], call["name"], call["arguments"]) == ("t_1", "look", '{"a":1}')
    assert turn.usage == Usage(9, None, None, 5, None, 14)
    assert made.exchange.outcome is Outcome.COMPLETED
    rows = made.exchange.events
    assert [row.start for row in rows] == EDGES[:-1]
    assert rows[-1].end == len(BODY)
    assert [row.type for row in rows][-2:] == ["messageStop", "metadata"]
    assert rows[-2].data == '{"stopReason":"tool_use"}'


def decoded(*pieces: bytes) -> tuple[list[Any], list[tuple[int, int]]]:
    """The same without the reader's task: its events, and where the frames stood."""
    decoder, events, places = ConverseDecoder(Redactor("")), [], []
    for piece in pieces:
        for each in decoder.feed(piece):
            events += decoder.read(each)[0]
            places.append((each.start, each.end))
    assert decoder.finish() is None
    return events, places


async def test_cut_in_two_at_every_byte_and_one_byte_at_a_time() -> None:
    expected = decoded(BODY)
    assert expected[1] == list(itertools.pairwise(EDGES))
    for cut in range(len(BODY)):
        assert decoded(BODY[:cut], BODY[cut:]) == expected
    check_whole(await read(BODY))
    check_whole(await read(*(bytes([byte]) for byte in BODY)))


SHORT = (FRAMES[4], FRAMES[5], FRAMES[11], FRAMES[12])
SHORT_BODY = b"".join(SHORT)
SHORT_EDGES = list(itertools.accumulate(map(len, SHORT), initial=0))


async def test_ended_at_every_byte_is_one_outcome_and_keeps_what_came() -> None:
    for end in range(len(SHORT_BODY)):
        made = await read(SHORT_BODY[:end])
        whole = made.exchange.outcome is Outcome.COMPLETED
        assert whole == (end >= SHORT_EDGES[3]), end
        if whole:
            assert made.error is None and made.ended.response["usage"] is None
        else:
            assert made.error is not None and made.error.code == "cut"
            assert not made.error.retryable
        text = made.turn.text
        assert text == (TEXT if end >= SHORT_EDGES[2] else TEXT[:8] if end >= SHORT_EDGES[1] else "")
        inside = end not in SHORT_EDGES
        assert inside == (bool(made.exchange.events) and made.exchange.events[-1].type == "damaged")


async def test_a_wrong_byte_anywhere_is_a_damage_and_keeps_what_came() -> None:
    """Both checksums are held against what they cover, so that no byte can be another unnoticed."""
    for at in range(len(SHORT_BODY)):
        wrong = bytearray(SHORT_BODY)
        wrong[at] ^= 0x41
        made = await read(bytes(wrong))
        assert made.error is not None and made.error.code == "bad_stream", at
        assert made.exchange.outcome is Outcome.FAILED
        assert not any(isinstance(each, ResponseEnded) for each in made.events)
        assert made.exchange.events[-1].type == "damaged"
        text = made.turn.text
        assert text == (TEXT if at >= SHORT_EDGES[2] else TEXT[:8] if at >= SHORT_EDGES[1] else "")


LYING = {
    "prelude": (frame({":event-type": "x"}, b"{}", prelude_crc=1), "a checksum does not match"),
    "message": (frame({":event-type": "x"}, b"{}", crc=1), "a checksum does not match"),
    "total": (frame({":event-type": "x"}, b"{}", total=2**32 - 1), "longer than any may be"),
    "headers": (frame({":event-type": "x"}, b"{}", headers_size=2**20), "longer than any may be"),
    "headers past the end": (frame({}, b"", headers_size=90), "headers cannot be read"),
    "nothing": (frame({}, b"", total=0) + bytes(20), "cannot be read"),
    "twelve": (frame({}, b"", total=12) + bytes(20), "shorter than its own headers"),
    "header type": (frame(b"\x01a\x63\x00", b"{}"), "headers cannot be read"),
    "no text": (frame(b"\x01a\x07\x00\x01\xff", b"{}"), "headers cannot be read"),
}


@pytest.mark.parametrize(("wrong", "words"), LYING.values(), ids=LYING)
async def test_a_frame_that_lies_is_said_and_ends_the_answer(wrong: bytes, words: str) -> None:
    made = await read(*FRAMES[:5], wrong, *FRAMES[5:])
    assert made.exchange.outcome is Outcome.FAILED
    assert words in str(made.error) and "kept" in str(made.error)
    assert made.turn.partial_text == TEXT[:8]


@pytest.mark.parametrize("payload", [b"[]", b"{", b"\xff", b'"x"', b"1" * 5000 + b"]", b"[" * 100_000])
async def test_a_payload_that_is_no_object_is_said(payload: bytes) -> None:
    wrong = frame({":event-type": "contentBlockDelta", ":message-type": "event"}, payload)
    made = await read(*FRAMES[:5], wrong)
    assert made.error is not None and made.error.code == "bad_stream"
    assert made.turn.partial_text == TEXT[:8]


@pytest.mark.parametrize(
    "kind",
    [
        *("internalServerException", "modelStreamErrorException", "validationException"),
        *("throttlingException", "serviceUnavailableException", "somethingNew"),
    ],
)
async def test_an_exception_mid_stream_ends_the_turn_as_failed(kind: str) -> None:
    made = await read(*FRAMES[:5], exception(kind, {"message": "Too many.", "p": "abc"}))
    assert made.exchange.outcome is Outcome.FAILED
    assert made.error is not None and made.error.code == kind
    assert str(made.error) == "The server ended the answer with an error: Too many."
    assert made.turn.partial_text == TEXT[:8]
    assert made.exchange.events[-1].type == kind
    assert made.exchange.events[-1].data == '{"message":"Too many.","p":"abc"}'


async def test_other_words_for_an_error() -> None:
    flat = frame(
        {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "It broke."}, b""
    )
    for wrong, words in (
        (flat, "It broke."),
        (exception("modelStreamErrorException", {"originalMessage": "No GPU."}), "No GPU."),
        (exception("validationException", {"Message": "Bad."}), "Bad."),
        (exception("validationException", {}), "it gave no reason"),
    ):
        made = await read(FRAMES[0], wrong)
        assert str(made.error) == f"The server ended the answer with an error: {words}"


REASONS = {
    "end_turn": ("completed", None, None),
    "stop_sequence": ("completed", None, None),
    "max_tokens": ("incomplete", "max_output_tokens", None),
    "content_filtered": ("incomplete", "content_filter", None),
    "guardrail_intervened": ("incomplete", "guardrail_intervened", None),
    "model_context_window_exceeded": ("incomplete", "model_context_window_exceeded", None),
    "malformed_tool_use": ("failed", None, "malformed_tool_use"),
    "something_new": ("incomplete", "something_new", None),
}


@pytest.mark.parametrize("reason", REASONS)
async def test_stop_reasons(reason: str) -> None:
    status, why, code = REASONS[reason]
    made = await read(*FRAMES[:7], event("messageStop", {"stopReason": reason}), FRAMES[-1])
    response = made.ended.response
    assert (made.ended.status, response["status"]) == (status, status)
    assert (response["incomplete_details"] or {}).get("reason") == why
    assert (response["error"] or {}).get("code") == code
    assert made.exchange.outcome == status
    assert made.turn.text == TEXT


CACHE = {"cacheReadInputTokens": 100, "cacheWriteInputTokens": 20}
USAGES = {
    "beside": (
        {"inputTokens": 10, "outputTokens": 5, "totalTokens": 135, **CACHE},
        Usage(130, 100, 20, 5, None, 135),
    ),
    "inside": (
        {"inputTokens": 130, "outputTokens": 5, "totalTokens": 135, **CACHE},
        Usage(130, 100, 20, 5, None, 135),
    ),
    "nonsense": ({"inputTokens": "many", "outputTokens": None, "totalTokens": True}, Usage()),
}


@pytest.mark.parametrize(("said", "usage"), USAGES.values(), ids=USAGES)
async def test_usage_counts_cached_tokens_inside_the_input(said: dict[str, Any], usage: Usage) -> None:
    made = await read(*FRAMES[:-1], event("metadata", {"usage": said}))
    assert made.turn.usage == usage


async def test_what_nobody_knows_is_recorded_and_read_past() -> None:
    made = await read(
        FRAMES[0],
        event("somethingNew", {"x": 1}),
        delta(0, {"citation": {"title": "x"}}),
        *FRAMES[1:],
    )
    assert (made.turn.text, made.turn.reasoning) == (TEXT, REASONING)
    assert [row.type for row in made.exchange.events][1] == "somethingNew"


async def test_a_guardrails_report_is_in_the_response() -> None:
    trace = {"guardrail": {"inputAssessment": {"g": {}}}}
    made = await read(
        *FRAMES[:7],
        event("messageStop", {"stopReason": "guardrail_intervened"}),
        event("metadata", {"usage": {}, "trace": trace}),
    )
    assert made.ended.response["guardrail"] == {"action": "INTERVENED", "trace": trace["guardrail"]}


TAGGED = {
    "around the whole": ["<reasoning>Think hard.</reasoning>The answer."],
    "around each delta": ["<reasoning>Think </reasoning>", "<reasoning>hard.</reasoning>", "The ", "answer."],
    "cut across deltas": ["<reas", "oning>Think ha", "rd.</reason", "ing>The an", "swer."],
    "in the answer": ["The <reasoning>Think hard.</reasoning>answer."],
    "opened twice": ["<reasoning>Think <reasoning>hard.</reasoning>", "The answer."],
    "never closed": ["The answer.", "<reasoning>Think hard."],
}


def tagged(pieces: Iterable[str]) -> list[bytes]:
    deltas = [delta(0, {"text": text}) for text in pieces]
    return [FRAMES[0], *deltas, event("contentBlockStop", {"contentBlockIndex": 0}), *FRAMES[-2:]]


@pytest.mark.parametrize("pieces", TAGGED.values(), ids=TAGGED)
async def test_reasoning_that_leaks_into_text_is_split_wherever_it_is_cut(pieces: list[str]) -> None:
    text = "".join(pieces)
    for cuts in [pieces, *([text[:cut], text[cut:]] for cut in range(len(text))), list(text)]:
        turn = (await read(b"".join(tagged(cuts)))).turn
        assert (turn.text, turn.reasoning) == ("The answer.", "Think hard."), cuts
        assert sorted(item.type for item in turn.output) == ["message", "reasoning"]


def test_a_whole_answer_is_told_as_a_streamed_one() -> None:
    body = {
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": REASONING}}},
            {"text": f"<reasoning>More.</reasoning>{TEXT}"},
            {"toolUse": {"toolUseId": "t_1", "name": "look", "input": {"a": 1}}},
            {"citationsContent": {}},
        ]}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14},
    }  # fmt: skip
    made = Read()
    made.events = list(answer_events(body))
    turn = made.turn
    assert (turn.text, turn.reasoning) == (TEXT, f"{REASONING}\n\nMore.")
    assert turn.output[-1].payload["arguments"] == '{"a":1}'
    assert made.ended.status == "completed"
    assert turn.usage == Usage(9, None, None, 5, None, 14)


async def test_a_token_cut_across_deltas_is_in_no_item() -> None:
    made = Read()
    decoder = ConverseDecoder(Redactor("secret-token-1"))
    for cut in decoder.feed(b"".join(tagged(["It is secret-", "token-1."]))):
        made.events += decoder.read(cut)[0]
    items = [each.item.text for each in made.events if isinstance(each, OutputItemDone)]
    assert "secret-token-1" not in "".join(items) and "[token]" in "".join(items)
    assert "secret-token-1" not in str(made.ended.response)
    kinds = {type(each) for each in made.events}
    assert TextDelta in kinds and ReasoningDelta not in kinds
