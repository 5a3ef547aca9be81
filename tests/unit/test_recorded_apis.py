"""What the inspector says of requests and answers over Chat Completions, Converse and InvokeModel."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.exchanges import made_up

from tui.core.answer import answer_object, assembled_object, usage_of
from tui.core.cache_analysis import CacheRules, cache_report
from tui.core.exchange import Chunk, Exchange, SseRecord
from tui.core.items import Outcome, Usage
from tui.core.shape import Shape, shape_of
from tui.core.stream_timing import stream_row
from tui.widgets.inspection.cache import tinted_paths
from tui.widgets.inspection.tables import ExchangeTable

HOST = "https://bedrock-runtime.us-west-2.amazonaws.com"
NATIVE = f"{HOST}/model/openai.gpt-oss-20b-1%3A0"
MODEL = "openai.gpt-oss-20b-1:0"
LONG = "The basalt lies above the granite. " * 200


def chat_body(*more: Any, **params: Any) -> dict[str, Any]:
    messages = [{"role": "developer", "content": LONG}, {"role": "user", "content": "Hi"}, *more]
    return {"model": MODEL, "messages": messages, "max_completion_tokens": 100, **params}


def converse_body(*more: Any, **params: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": [{"text": "Hi"}]}, *more]
    return {
        "system": [{"text": LONG}], "messages": messages, "inferenceConfig": {"maxTokens": 100, "topP": 0.5},
        **params,
    }  # fmt: skip


CHAT = made_up(
    chat_body(
        {"role": "assistant", "content": None, "tool_calls": [
            {"function": {"name": "look", "arguments": "{}"}},
        ]},
        {"role": "tool", "tool_call_id": "c", "content": "Seen."},
        {"role": "user", "content": [
            {"type": "text", "text": "And this?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        ]},
        tools=[{"type": "function", "function": {"name": "look"}}], reasoning_effort="low", stream=True,
    ),
    url=f"{HOST}/openai/v1/chat/completions",
)  # fmt: skip
CONVERSE = made_up(
    converse_body(
        {"role": "assistant", "content": [
            {"toolUse": {"toolUseId": "c", "name": "look", "input": {"a": 1}}},
        ]},
        {"role": "user", "content": [
            {"toolResult": {"toolUseId": "c", "content": [{"text": "Seen."}]}},
            {"document": {"format": "pdf", "name": "Q3", "source": {"bytes": "JVBERi0="}}},
        ]},
        toolConfig={"tools": [{"toolSpec": {"name": "look"}}], "toolChoice": {"auto": {}}},
        additionalModelRequestFields={"reasoning_effort": "low"},
    ),
    url=f"{NATIVE}/converse-stream",
)  # fmt: skip
INVOKE = made_up({"messages": [{"role": "user", "content": "Hi"}]}, url=f"{NATIVE}/invoke")


def parameters(shape: Shape) -> dict[str, str]:
    return {entry.name: entry.text for entry in shape.parameters}


def items(shape: Shape) -> list[tuple[str, str]]:
    return [(item.kind, item.words) for item in shape.items]


def test_the_shape_of_each_api() -> None:
    shape = shape_of(CHAT, (), 40)
    assert parameters(shape) == {
        "model": MODEL, "stream": "true", "max_completion_tokens": "100",
        "reasoning_effort": "low", "tools": "1: look",
    }  # fmt: skip
    assert shape.input_words == "5 messages"
    assert items(shape)[1:] == [
        ("user", "“Hi”"),
        ("assistant", "look  “{}”"),
        ("tool", "“Seen.”"),
        ("user", "“And this?”  +  image (image/png, 3 B (3 bytes), sha256 "
                 "709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c)"),
    ]  # fmt: skip
    shape = shape_of(CONVERSE, (), 40)
    assert parameters(shape) == {
        "model": f"{MODEL}, in the path", "answer": "streams, as the path says",
        "inferenceConfig": "maxTokens 100, topP 0.5", "additionalModelRequestFields": "reasoning_effort low",
        "toolConfig": "1: look", "toolChoice": "auto {}",
    }  # fmt: skip
    assert shape.input_words == "3 messages"
    assert [kind for kind, _ in items(shape)] == ["system", "user", "assistant", "user"]
    assert [words for _, words in items(shape)][1:] == [
        "“Hi”", "look  “{\"a\":1}”", "result: “Seen.”  +  document (Q3 pdf, 6 B)",
    ]  # fmt: skip
    shape = shape_of(INVOKE, (), 40)
    assert parameters(shape) == {
        "model": f"{MODEL}, in the path", "answer": "comes whole, as the path says",
        "max_completion_tokens": "not sent",
    }  # fmt: skip
    assert (shape.input_words, items(shape)) == ("1 message", [("user", "“Hi”")])


@pytest.mark.parametrize("body", [{}, {"messages": "x", "tools": 5}, {"messages": [1, {"content": [None]}]}])
@pytest.mark.parametrize(
    "url", [f"{HOST}/openai/v1/chat/completions", f"{NATIVE}/converse", f"{NATIVE}/invoke"]
)
def test_a_body_of_any_shape_has_one(body: Any, url: str) -> None:
    exchange = made_up(body, url=url)
    shape_of(exchange, (), 40)
    assert cache_report(exchange, [exchange]) is not None


def answered(body: Any, url: str, usage: dict[str, Any], number: int) -> Exchange:
    """An exchange that was answered whole."""
    name = "converse" if "converse" in url else "chat"
    answer = {"usage": usage, "stopReason": "end_turn"} if name == "converse" else {
        "id": f"chatcmpl-{number}", "choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}],
        "usage": usage,
    }  # fmt: skip
    chunks = (Chunk(0.1, json.dumps(answer).encode()),)
    return made_up(body, url=url, number=number, status=200, chunks=chunks, outcome=Outcome.COMPLETED)


COUNTED = {"prompt_tokens": 2000, "completion_tokens": 5, "total_tokens": 2005}
SAID = {
    "chat": (COUNTED, f"{HOST}/openai/v1/chat/completions", chat_body),
    "converse": (
        {"inputTokens": 2000, "outputTokens": 5, "totalTokens": 2005}, f"{NATIVE}/converse", converse_body,
    ),
}  # fmt: skip


@pytest.mark.parametrize("api", SAID)
def test_the_cache_of_each_api(api: str) -> None:
    usage, url, body = SAID[api]
    answer = {"role": "assistant", "content": "Hello." if api == "chat" else [{"text": "Hello."}]}
    more = {"role": "user", "content": "More" if api == "chat" else [{"text": "More"}]}
    first = answered(body(), url, usage, 1)
    second = answered(body(answer, more), url, usage, 2)
    report = cache_report(second, [first, second], rules=CacheRules(known=False))
    assert report is not None
    assert report.verdict == (
        "The server did not say what it cached, and nothing is known of a prompt cache of this model."
    )
    assert (report.previous, report.input_tokens, report.cached_tokens) == (first.id, 2000, None)
    # All of the first request is what the second begins with, and it is found in its body.
    assert (report.prefix.whole, report.prefix.pieces, report.prefix.tokens) == (True, 2, 2000)
    sent = second.request_body
    begins = [json.loads(sent[start:end]) for start, end in report.prefix.ranges]
    assert (
        begins
        == (body()["messages"] if api == "chat" else [body()["system"], *body()["messages"]])[: len(begins)]
    )
    paths = tinted_paths(second.sent.outline, report)
    assert paths == {("messages", 0), ("messages", 1)} if api == "chat" else {("system",), ("messages", 0)}
    changed = answered({**body(answer, more), "model": "another"}, url.replace("20b", "120b"), usage, 3)
    report = cache_report(changed, [first, changed])
    assert report is not None and "Model changed" in report.verdict
    elsewhere = answered(INVOKE_LIKE, f"{NATIVE}/invoke", usage, 4)
    report = cache_report(elsewhere, [first, elsewhere])
    assert report is not None and "API changed" in report.verdict and "InvokeModel now" in report.verdict


INVOKE_LIKE = {"messages": [{"role": "user", "content": LONG}]}


def streamed(url: str, events: list[tuple[str, Any]], *, framed: bool) -> Exchange:
    exchange = made_up({}, url=url, status=200, outcome=Outcome.COMPLETED)
    body = b""
    for number, (kind, payload) in enumerate(events):
        data = payload if isinstance(payload, str) else json.dumps(payload)
        raw = b"\x00\xff" + data.encode() + b"\xfe" if framed else f"data: {data}\n\n".encode()
        exchange.chunks.add(number / 10, raw)
        exchange.events.append(SseRecord(number / 10, kind, data, len(body), len(body) + len(raw)))
        body += raw
    return exchange


def chunk(delta: dict[str, Any], **more: Any) -> tuple[str, Any]:
    choices = [{"index": 0, "delta": delta, "finish_reason": more.pop("finish_reason", None)}]
    return "chat.completion.chunk", {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "choices": choices,
        **more,
    }


def test_streamed_answers_are_put_together() -> None:
    chat = streamed(f"{HOST}/openai/v1/chat/completions", [
        chunk({"role": "assistant", "content": "<reasoning>Hm.</reas"}),
        chunk({"content": "oning>Hello."}),
        chunk({}, finish_reason="length"),
        ("chat.completion.chunk", {
            "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
        }),
        ("[DONE]", "[DONE]"),
    ], framed=False)  # fmt: skip
    converse = streamed(f"{NATIVE}/converse-stream", [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm."}}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "Hello."}}),
        ("contentBlockStop", {"contentBlockIndex": 1}),
        ("messageStop", {"stopReason": "max_tokens"}),
        ("metadata", {"usage": {"inputTokens": 9, "outputTokens": 5, "totalTokens": 14}}),
    ], framed=True)  # fmt: skip
    for exchange in (chat, converse):
        answer = answer_object(exchange)
        assert answer is not None
        assert (answer["status"], answer["incomplete_details"]) == (
            "incomplete",
            {"reason": "max_output_tokens"},
        )
        assert [item["content"][0]["text"] for item in answer["output"]] == ["Hm.", "Hello."]
        assert usage_of(exchange) == Usage(9, None, None, 5, None, 14)
        assert json.loads(assembled_object(exchange) or "null") == answer
    # A row of the tab Stream shows what is new in an event.
    previews = [[stream_row(one.events, at, 40).preview for at in range(4)] for one in (chat, converse)]
    assert previews[0][:3] == ["<reasoning>Hm.</reas", "oning>Hello.", "length"]
    assert (previews[1][1], previews[1][3]) == ("Hm.", "Hello.")
    assert stream_row(converse.events, 5, 40).preview == "max_tokens"
    cut = streamed(f"{NATIVE}/converse-stream", [("messageStart", {"role": "assistant"})], framed=True)
    assert (answer_object(cut), assembled_object(cut), usage_of(cut)) == (None, None, None)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/openai/v1/responses", "POST /responses"),
        ("/us-west-2/runtime/openai/v1/chat/completions", "POST /chat/completions"),
        ("/model/openai.gpt-oss-20b-1%3A0/converse-stream", "POST /converse-stream"),
        ("/other", "POST /other"),
        ("", "POST /"),
    ],
)
def test_a_row_says_what_was_asked_for(path: str, shown: str) -> None:
    table = ExchangeTable([made_up({}, url=HOST + path)])
    assert shown in table.row(0, 160).text
