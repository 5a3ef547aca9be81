"""Whatever is in a body, the answer is an answer or a refusal in the API's own form."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from support.openai_schemas import validate
from support.sandbox_api import Api, Json

OSS = "openai.gpt-oss-20b-1:0"
JUNK: list[Any] = [None, 0, -1, "", [], {}, True, "x", [None], [[]], [{}], {"x": 1}, 1.5]
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
CALL = {"id": "c", "type": "function", "function": {"name": "get_order", "arguments": "{}"}}
CHAT: Json = {
    "messages": [
        {"role": "system", "content": "x"},
        {"role": "user", "content": [{"type": "text", "text": "order A-1"}]},
        {"role": "assistant", "content": "a", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
        {"role": "user", "content": "json order"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "get_order", "description": "d", "strict": True, "parameters": SCHEMA},
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": "get_order"}},
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "t", "strict": True, "schema": SCHEMA},
    },
    "stop": ["zz"],
    "metadata": {"a": "b"},
    "amazon-bedrock-guardrailConfig": {"tagSuffix": "abc"},
    "max_completion_tokens": 50,
    "temperature": 1,
    "reasoning_effort": "low",
}
STREAM: Json = {**CHAT, "model": OSS, "stream": True, "stream_options": {"include_usage": True}}
CONVERSE: Json = {
    "system": [{"text": "s"}, {"guardContent": {"text": {"text": "g"}}}],
    "messages": [
        {"role": "user", "content": [{"text": "order A-1"}, {"guardContent": {"text": {"text": "q"}}}]},
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "r"}}},
                {"toolUse": {"toolUseId": "i", "name": "get_order", "input": {}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "toolResult": {
                        "toolUseId": "i",
                        "status": "success",
                        "content": [{"text": "r"}, {"json": {"a": 1}}],
                    }
                },
                {"text": "order A-2"},
            ],
        },
    ],
    "inferenceConfig": {"maxTokens": 50, "temperature": 1, "topP": 1, "stopSequences": ["zz"]},
    "additionalModelRequestFields": {"reasoning_effort": "low", "parallel_tool_calls": True},
    "toolConfig": {
        "tools": [{"toolSpec": {"name": "get_order", "description": "d", "inputSchema": {"json": SCHEMA}}}],
        "toolChoice": {"tool": {"name": "get_order"}},
    },
    "guardrailConfig": {"guardrailIdentifier": "sandboxguard", "guardrailVersion": "1", "trace": "enabled"},
    "outputConfig": {
        "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type":"object"}'}}}
    },
    "requestMetadata": {"a": "b"},
}


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*place, key))


def put(body: Json, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = copy.deepcopy(body)
    at: Any = changed
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("route", "path", "body"),
    [
        ("/openai/v1", "/chat/completions", STREAM),
        ("", f"/model/{OSS}/converse", CONVERSE),
        ("", f"/model/{OSS}/converse-stream", CONVERSE),
        ("", f"/model/{OSS}/invoke", CHAT),
    ],
)
def test_any_body_is_answered_or_refused(shared_api: Api, route: str, path: str, body: Json) -> None:
    url = shared_api.server.base_url("runtime", route=route) + path
    assert shared_api.http.post(url, json=body).status_code == 200
    for number, place in enumerate(places(body)):
        # Two at each place, others at the next.
        for junk in JUNK[number % 3 :: 3][:2]:
            reply = shared_api.http.post(url, json=put(body, place, junk))
            assert reply.status_code in (200, 400, 404), (place, junk, reply.text)
            if reply.status_code == 200:
                continue
            if route:
                validate("ErrorResponse", reply.json())
            else:
                assert reply.headers["x-amzn-errortype"] == "ValidationException"
                assert list(reply.json()) == ["message"]
