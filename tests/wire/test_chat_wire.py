"""Chat Completions and InvokeModel: chunks and completions as the program's own events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from tui.core.errors import ResponseError, StreamError, WireError
from tui.core.events import (
    ArgumentsDelta,
    AttemptStarted,
    OutputItemDone,
    ReasoningDelta,
    ResponseEnded,
    ResponseStarted,
    ServerError,
    Silence,
    TextDelta,
    Unknown,
)
from tui.core.exchange import Exchange
from tui.core.items import Item, Outcome, Target, Usage
from tui.sandbox import tags
from tui.wire.attempts import ClientSettings
from tui.wire.chat_completions import ChatCompletionsClient, ChunkDecoder
from tui.wire.invoke_model import InvokeModelClient
from tui.wire.recorder import AttemptLabel
from tui.wire.redact import Redactor

MODEL = "openai.gpt-oss-20b-1:0"
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
USAGE = {
    "prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16,
    "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 3},
}  # fmt: skip
GUARDED = {"amazon-bedrock-guardrailAction": "INTERVENED"}
TOKEN = "bedrock-api-key-SECRETSECRETSECRET"


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({**HEAD, "choices": choices, **more}).encode() + b"\n\n"


def content(pieces: Iterable[str], finish: str = "stop", usage: bool = True, done: bool = True) -> bytes:
    rows = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": piece}) for piece in pieces)]
    rows.append(chunk({}, finish))
    rows += [chunk(usage=USAGE)] if usage else []
    return b"".join([*rows, b"data: [DONE]\n\n" if done else b""])


def decoded(*pieces: bytes, redactor: Redactor | None = None) -> list[Any]:
    decoder = ChunkDecoder(redactor or Redactor(""))
    events: list[Any] = []
    for piece in pieces:
        for event in decoder.feed(piece):
            events += decoder.read(event)[0]
    if (last := decoder.finish()) is not None:
        events += decoder.read(last)[0]
    return [*events, *decoder.ended()]


def items(events: list[Any]) -> list[Any]:
    return [event.item.payload for event in events if isinstance(event, OutputItemDone)]


def said(events: list[Any]) -> tuple[str, str]:
    """Reasoning and answer as they came."""
    reasoning = "".join(event.delta for event in events if isinstance(event, ReasoningDelta))
    return reasoning, "".join(event.delta for event in events if isinstance(event, TextDelta))


def test_a_stream_cut_at_every_byte_is_the_same() -> None:
    whole = content(["<reas", "oning>Two é", "</reasoning>", "It is ", "4."])
    wanted = decoded(whole)
    started, *_, ended = wanted
    assert isinstance(started, ResponseStarted) and started.response_id == "chatcmpl-1"
    assert isinstance(ended, ResponseEnded) and ended.status == "completed"
    assert said(wanted) == ("Two é", "It is 4.")
    assert [item["type"] for item in items(wanted)] == ["reasoning", "message"]
    assert ended.response["output"] == items(wanted)
    assert Usage.from_payload(ended.response["usage"]) == Usage(9, 4, None, 7, 3, 16)
    for cut in range(len(whole) + 1):
        assert decoded(whole[:cut], whole[cut:]) == wanted
    assert decoded(*(whole[at : at + 1] for at in range(len(whole)))) == wanted


@pytest.mark.parametrize("form", tags.FORMS)
def test_every_form_of_reasoning_is_split_in_a_stream_and_whole(form: str) -> None:
    pieces = [piece for piece in tags.deltas(form, ["I ", "think ", "so"], ["It ", "is ", "4."]) if piece]
    reasoning, answer = said(decoded(content(pieces)))
    assert (reasoning, answer) == {
        "open": ("I think soIt is 4.", ""), "none": ("", "It is 4."),
        # The sandbox puts the middle of the reasoning first.
        "nested": (reasoning, "It is 4."),
    }.get(form, ("I think so", "It is 4."))  # fmt: skip
    stream = content(pieces)
    wanted = decoded(stream)
    assert decoded(*(stream[at : at + 1] for at in range(len(stream)))) == wanted, "cut at every byte"
    assert all(decoded(stream[:cut], stream[cut:]) == wanted for cut in range(0, len(stream), 13))
    whole = decoded(content(["".join(pieces)]))
    assert (said(whole), items(whole)) == ((reasoning, answer), items(decoded(content(pieces))))


def test_an_answer_that_opened_twice_and_closed_once_is_an_answer_all_the_same() -> None:
    made = items(decoded(content(["<reasoning>a<reasoning>b</reasoning>", "It is 4."])))
    assert made[0]["content"][0]["text"] == "ab"
    assert made[1]["content"][0]["text"] == "It is 4."


def test_tool_calls_come_in_pieces_and_beside_each_other() -> None:
    def call(index: int, identity: str | None, name: str | None, arguments: str) -> dict[str, Any]:
        function = {"arguments": arguments} | ({"name": name} if name else {})
        return {"index": index, "function": function} | ({"id": identity} if identity else {})

    events = decoded(
        chunk({"content": "<reasoning>add</reasoning>Adding."}),
        chunk({"tool_calls": [call(0, "c1", "add", ""), call(1, "c2", "add", '{"a"')]}),
        chunk({"tool_calls": [call(0, None, None, '{"a":1}')]}),
        chunk({"tool_calls": [call(1, None, None, ":2}")]}),
        chunk({}, "tool_calls"),
    )
    assert items(events)[2:] == [
        {"type": "function_call", "call_id": call_id, "name": "add", "arguments": arguments,
         "status": "completed"}
        for call_id, arguments in (("c1", '{"a":1}'), ("c2", '{"a":2}'))
    ]  # fmt: skip
    assert [event.delta for event in events if isinstance(event, ArgumentsDelta)] == [
        '{"a"',
        '{"a":1}',
        ":2}",
    ]
    assert events[-1].status == "completed"


@pytest.mark.parametrize(
    ("finish", "more", "status", "reason"),
    [
        ("stop", {}, "completed", None),
        ("something new", {}, "completed", None),
        ("length", {}, "incomplete", "max_output_tokens"),
        ("content_filter", {}, "incomplete", "content_filter"),
        ("content_filter", GUARDED, "incomplete", "guardrail_intervened"),
        ("guardrail_intervened", {}, "incomplete", "guardrail_intervened"),
    ],
)  # fmt: skip
def test_how_it_finished(finish: str, more: Any, status: str, reason: str | None) -> None:
    ended = decoded(chunk({"content": "It"}), chunk({}, finish, **more))[-1]
    assert ended.status == ended.response["status"] == status
    assert (ended.response["incomplete_details"] or {}).get("reason") == reason
    assert ("guardrail" in ended.response) is bool(more)


def test_refusals_errors_and_what_nobody_knows() -> None:
    refused = decoded(
        chunk({"content": ""}), chunk({"refusal": "I "}), chunk({"refusal": "won't"}), chunk({}, "stop")
    )
    assert items(refused)[0]["content"] == [{"type": "refusal", "refusal": "I won't"}]
    assert all(event.refusal for event in refused if isinstance(event, TextDelta))
    assert decoded(b'data: {"error":{"code":"x","message":"no"}}\n\n') == [ServerError("x", "no")]
    assert decoded(b'event: error\ndata: {"message":"no"}\n\n') == [ServerError("", "no")]
    assert decoded(b'data: {"object":"ping"}\n\n') == [Unknown("ping")]
    reasoned = decoded(chunk({"reasoning_content": "hm"}), chunk({"content": "4"}, "stop"))
    assert said(reasoned) == ("hm", "4")
    with pytest.raises(StreamError, match="not JSON"):
        decoded(b"data: {\n\n")


def test_a_token_that_is_echoed_in_pieces_is_masked_in_the_items() -> None:
    half = len(TOKEN) // 2
    events = decoded(content([TOKEN[:half], TOKEN[half:]]), redactor=Redactor(TOKEN))
    assert "SECRET" not in json.dumps(items(events))
    assert "SECRET" not in json.dumps(events[-1].response)


# -- the clients ----------------------------------------------------------------------------------------


class Answers(httpx.AsyncBaseTransport):
    """Answers every request with the same bytes and keeps the requests."""

    def __init__(self, body: bytes, kind: str, status: int = 200, wait: float = 0.0) -> None:
        self.body, self.kind, self.status, self.wait = body, kind, status, wait
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        await asyncio.sleep(self.wait)
        return httpx.Response(self.status, headers={"content-type": self.kind}, content=self.body)


async def talk(
    api: str, answers: Answers, stream: bool = True, **limits: Any
) -> tuple[list[Any], Exchange, WireError | None]:
    native = api == "invoke_model"
    base = "https://bedrock-runtime.us-west-2.amazonaws.com" + ("" if native else "/openai/v1")
    made = InvokeModelClient if native else ChatCompletionsClient
    settings = ClientSettings(number=lambda _: 1, new_id=lambda: "x", max_retries=0, **limits)
    client = made(
        Target(MODEL, "us-west-2", "runtime", base, api=api), lambda: TOKEN, settings, transport=answers
    )
    label = AttemptLabel("c", "t", 1, MODEL, headers={"X-Amzn-Bedrock-GuardrailIdentifier": "gr"})
    events: list[Any] = []
    error: WireError | None = None
    try:
        async with aclosing((client.stream if stream else client.create)(b"{}", label)) as coming:
            async for event in coming:
                events.append(event)
    except WireError as failure:
        error = failure
    await client.aclose()
    return events, next(event.exchange for event in events if isinstance(event, AttemptStarted)), error


async def test_a_stream_is_recorded_chunk_by_chunk() -> None:
    answers = Answers(content(["It is ", "4."], usage=False), "text/event-stream; charset=utf-8")
    events, exchange, error = await talk("chat_completions", answers)
    assert error is None
    (request,) = answers.requests
    assert str(request.url) == "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1/chat/completions"
    assert request.headers["x-amzn-bedrock-guardrailidentifier"] == "gr"
    assert dict(exchange.request_headers)["Authorization"] == "Bearer [token]"
    assert [record.type for record in exchange.events] == ["chat.completion.chunk"] * 4 + ["[DONE]"]
    assert exchange.response_body == answers.body
    assert (exchange.outcome, exchange.model) == (Outcome.COMPLETED, MODEL)
    assert said(events)[1] == "It is 4."


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (content(["It"]).partition(b'"stop"')[0], "text/event-stream", "cut"),
        (chunk({"content": "It"}) + b'data: {"error":{"code":"overloaded","message":"no"}}\n\n',
         "text/event-stream", "overloaded"),
        (chunk({"content": "It"}) + b"data: {\n\n", "text/event-stream", "bad_stream"),
        (b"{}", "application/json", "not_a_stream"),
    ],
)  # fmt: skip
async def test_a_stream_without_its_end_has_failed(body: bytes, kind: str, code: str) -> None:
    events, exchange, error = await talk("chat_completions", Answers(body, kind))
    assert error is not None and error.code == code
    assert exchange.outcome is Outcome.FAILED
    assert not any(isinstance(event, ResponseEnded) for event in events)
    assert code == "not_a_stream" or said(events)[1] == "It"


@pytest.mark.parametrize("api", ["chat_completions", "invoke_model"])
async def test_a_whole_answer_is_told_as_a_stream_would_be(api: str) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    message = {"role": "assistant", "content": "<reasoning>hm</reasoning>It is 4.", "tool_calls": [call]}
    body = {**HEAD, "object": "chat.completion", "usage": USAGE,
            "choices": [{"index": 0, "message": message, "finish_reason": "length"}]}  # fmt: skip
    # Longer than the response to a stream may take: a whole answer has to be made first.
    answers = Answers(json.dumps(body).encode(), "application/json", wait=0.18)
    limits = {"request_timeout": 0.05, "silence_notice": 0.05}
    events, exchange, error = await talk(api, answers, api == "invoke_model", **limits)
    assert error is None
    assert [event.seconds for event in events if isinstance(event, Silence)][:1] == [0.05]
    path = (
        "/model/openai.gpt-oss-20b-1%3A0/invoke" if api == "invoke_model" else "/openai/v1/chat/completions"
    )
    assert answers.requests[0].url.raw_path.decode() == path
    assert said(events) == ("hm", "It is 4.")
    assert [Item.of(item).type for item in items(events)] == ["reasoning", "message", "function_call"]
    ended = next(event for event in events if isinstance(event, ResponseEnded))
    assert ended.status == "incomplete"
    assert exchange.outcome is Outcome.INCOMPLETE
    assert exchange.timings.first_text is not None
    assert exchange.response_body == answers.body


async def test_what_is_no_completion_is_said_to_be_none() -> None:
    for body, kind in (({}, StreamError), ({"error": {"message": "no", "code": "x"}}, ResponseError)):
        answers = Answers(json.dumps(body).encode(), "application/json")
        _, exchange, error = await talk("invoke_model", answers)
        assert isinstance(error, kind)
        assert exchange.outcome is Outcome.FAILED
    refusal = Answers(b'{"Message":"no access"}', "application/json", 403)
    _, _, error = await talk("invoke_model", refusal)
    assert error is not None and error.status == 403 and "no access" in str(error)
