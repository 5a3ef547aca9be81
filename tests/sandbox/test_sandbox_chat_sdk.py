"""The OpenAI SDK drives Chat Completions of the sandbox without a patch."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from openai import (
    APIConnectionError,
    APIError,
    AsyncOpenAI,
    BadRequestError,
    NotFoundError,
    OpenAI,
    PermissionDeniedError,
    RateLimitError,
)
from openai.providers import bedrock
from pydantic import BaseModel
from support.sandbox_api import Api

OSS = "openai.gpt-oss-120b-1:0"
ORDER: Any = {
    "type": "function",
    "function": {
        "name": "get_order_status", "description": "Look an order up", "strict": True,
        "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}},
                       "required": ["order_id"], "additionalProperties": False},
    },
}  # fmt: skip


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


class Triage(BaseModel):
    kind: Literal["bug", "wish"]
    score: int


def client(api: Api, endpoint: str = "runtime", key: str = "sandbox", route: str = "/openai/v1") -> OpenAI:
    url = api.server.base_url(endpoint, route=route)  # type: ignore[arg-type]
    return OpenAI(provider=bedrock(base_url=url, api_key=key, region="us-west-2"), max_retries=0)


def asked(prompt: str, model: str = OSS) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": prompt}]}


def answer(text: str | None) -> str:
    return (text or "").rpartition("</reasoning>")[2]


def test_sync(api: Api) -> None:
    with client(api) as sdk:
        made = sdk.chat.completions.create(
            **asked("Reply with exactly: ok"), temperature=1.0, top_p=1.0, reasoning_effort="medium",
            max_completion_tokens=1024,
        )  # fmt: skip
        assert answer(made.choices[0].message.content) == "ok" and made.usage is not None
        assert made._request_id == api.server.log[-1].request_id
        stream = sdk.chat.completions.create(
            **asked("Reply with exactly: a b c"), stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert answer(text) == "a b c" and chunks[-1].usage is not None
        with sdk.chat.completions.stream(**asked("Reply with exactly: d e")) as helper:
            final = helper.get_final_completion()
        assert answer(final.choices[0].message.content) == "d e" and final.choices[0].finish_reason == "stop"
    with client(api, "mantle", route="/v1") as sdk:
        made = sdk.chat.completions.create(**asked("Reply with exactly: ok", "openai.gpt-oss-20b"))
        assert answer(made.choices[0].message.content) == "ok"
        with pytest.raises(NotFoundError):
            sdk.chat.completions.create(**asked("Hi", OSS))


def test_sync_tools(api: Api) -> None:
    with client(api) as sdk:
        request = asked("What is the status of the orders A-17 and B-2?")
        with sdk.chat.completions.stream(**request, tools=[ORDER]) as helper:
            message = helper.get_final_completion().choices[0].message
        calls = message.tool_calls or []
        assert [json.loads(call.function.arguments)["order_id"] for call in calls] == ["A-17", "B-2"]
        made = [
            {"id": call.id, "type": "function",
             "function": {"name": call.function.name, "arguments": call.function.arguments}}
            for call in calls
        ]  # fmt: skip
        history = [*request["messages"], {"role": "assistant", "tool_calls": made}]
        history += [
            {"role": "tool", "tool_call_id": call.id, "content": f"shipped as {call.id[-6:]}"}
            for call in calls
        ]
        done = sdk.chat.completions.create(model=OSS, messages=history, tools=[ORDER])
        assert all(call.id[-6:] in str(done.choices[0].message.content) for call in calls)


def test_sync_errors(api: Api) -> None:
    with client(api) as sdk:
        with pytest.raises(BadRequestError) as caught:
            sdk.chat.completions.create(**asked("Hi"), n=2)
        assert caught.value.param == "n" and caught.value.request_id
        api.server.fault({"on": "chat", "status": 429})
        with pytest.raises(RateLimitError):
            sdk.chat.completions.create(**asked("Hi"))
        api.server.fault({"on": "chat", "error_deltas": 2})
        with pytest.raises(APIError, match="had an error"):
            list(sdk.chat.completions.create(**asked("Hi"), stream=True))
    with client(api, key="wrong") as sdk, pytest.raises(PermissionDeniedError) as refused:
        sdk.chat.completions.create(**asked("Hi"))
    assert refused.value.response.headers["x-amzn-requestid"]


async def test_async(api: Api) -> None:
    url = api.server.base_url("runtime")
    provider = bedrock(base_url=url, api_key="sandbox", region="us-west-2")
    async with AsyncOpenAI(provider=provider, max_retries=0) as sdk:
        guard = {
            "X-Amzn-Bedrock-GuardrailIdentifier": "sandboxguard",
            "X-Amzn-Bedrock-GuardrailVersion": "1",
            "X-Amzn-Bedrock-Trace": "ENABLED",
        }
        made = await sdk.chat.completions.create(
            **asked("Is volcano insurance good?"), extra_headers=guard,
            extra_body={"amazon-bedrock-guardrailConfig": {"tagSuffix": "xyz"}},
        )  # fmt: skip
        assert made.choices[0].finish_reason == "content_filter"
        assert made.model_extra is not None and "amazon-bedrock-trace" in made.model_extra
        stream = await sdk.chat.completions.create(**asked("Reply with exactly: a b c"), stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
        assert answer("".join(pieces)) == "a b c"
        api.server.fault({"on": "chat", "cut_events": 6})
        stream = await sdk.chat.completions.create(**asked("Hi"), stream=True)
        with pytest.raises(APIConnectionError):
            async for _ in stream:
                pass
        await stream.close()
        api.server.fault({"on": "chat", "reasoning": "none"})
        parsed = await sdk.chat.completions.parse(**asked("A wish with 7 votes"), response_format=Triage)
        assert parsed.choices[0].message.parsed == Triage(kind="wish", score=7)
        called = await sdk.chat.completions.create(**asked("Status of order B-2?"), tools=[ORDER])
        assert called.choices[0].finish_reason == "tool_calls"
