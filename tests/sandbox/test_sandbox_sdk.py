from __future__ import annotations

import pytest
from openai import (
    APIConnectionError,
    APIError,
    AsyncOpenAI,
    AuthenticationError,
    NotFoundError,
    OpenAI,
    RateLimitError,
)
from openai.providers import bedrock
from support.sandbox_api import MODEL, Api


def sync_client(api: Api, key: str = "sandbox") -> OpenAI:
    return OpenAI(provider=bedrock(base_url=api.url, api_key=key, region="us-west-2"), max_retries=0)


def async_client(api: Api) -> AsyncOpenAI:
    return AsyncOpenAI(
        provider=bedrock(base_url=api.url, api_key="sandbox", region="us-west-2"), max_retries=0
    )


def test_sync_turns_and_lifecycle(api: Api) -> None:
    with sync_client(api) as client:
        first = client.responses.create(model=MODEL, input="My name is Ada", max_output_tokens=1024)
        second = client.responses.create(model=MODEL, input="What is my name?", previous_response_id=first.id)
        assert "Ada" in second.output_text
        assert second._request_id == api.server.log[-1].request_id
        assert client.responses.retrieve(second.id).output_text == second.output_text
        assert client.responses.cancel(second.id).status == "completed"
        assert client.responses.delete(second.id) is None
        with pytest.raises(NotFoundError):
            client.responses.retrieve(second.id)


def test_sync_stream(api: Api) -> None:
    with sync_client(api) as client:
        with client.responses.create(model=MODEL, input="Reply with exactly: a b c", stream=True) as stream:
            events = list(stream)
        assert [e.sequence_number for e in events] == list(range(len(events)))
        assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == "a b c"
        assert events[-1].response.output_text == "a b c"
        with client.responses.stream(model=MODEL, input="Reply with exactly: d e") as helper:
            assert helper.get_final_response().output_text == "d e"


def test_sync_errors(api: Api) -> None:
    with sync_client(api, "wrong") as client, pytest.raises(AuthenticationError) as caught:
        client.responses.create(model=MODEL, input="x")
    assert caught.value.code == "invalid_api_key" and caught.value.request_id
    with sync_client(api) as client:
        api.server.fault({"status": 429, "headers": {"retry-after": "1"}})
        with pytest.raises(RateLimitError):
            client.responses.create(model=MODEL, input="x")
        api.server.fault({"error_deltas": 1, "error_body": True})
        with (
            pytest.raises(APIError, match="had an error"),
            client.responses.create(model=MODEL, input="x", stream=True) as s,
        ):
            list(s)


async def test_async_turns_reasoning_and_replay(api: Api) -> None:
    async with async_client(api) as client:
        asked = {
            "reasoning": {"effort": "medium"},
            "include": ["reasoning.encrypted_content"],
            "store": False,
        }
        history = [{"role": "user", "content": "The code word is heliotrope."}]
        first = await client.responses.create(model=MODEL, input=history, **asked)
        history += [item.model_dump(exclude_unset=True) for item in first.output]
        history.append({"role": "user", "content": "What is the code word?"})
        second = await client.responses.create(model=MODEL, input=history, **asked)
        assert "heliotrope" in second.output_text
        assert second.usage is not None and second.usage.output_tokens_details.reasoning_tokens > 0


async def test_async_stream_and_cut(api: Api) -> None:
    async with async_client(api) as client:
        stream = await client.responses.create(model=MODEL, input="Reply with exactly: a b c", stream=True)
        assert [e.type async for e in stream][-1] == "response.completed"
        await stream.close()
        api.server.fault({"cut_events": 5})
        stream = await client.responses.create(model=MODEL, input="Tell me more", stream=True)
        with pytest.raises(APIConnectionError):
            async for _ in stream:
                pass
        await stream.close()
