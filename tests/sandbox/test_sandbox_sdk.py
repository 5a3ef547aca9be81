from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from openai import (
    APIConnectionError,
    APIError,
    AsyncOpenAI,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    OpenAI,
    PermissionDeniedError,
    RateLimitError,
)
from openai.providers import bedrock
from pydantic import BaseModel
from support.sandbox_api import MODEL, Api, Json, file_part


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


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


class Triage(BaseModel):
    kind: Literal["bug", "wish"]
    score: int
    note: str


ORDER = {
    "type": "function", "name": "get_order_status", "description": "Look an order up", "strict": True,
    "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"],
                   "additionalProperties": False},
}  # fmt: skip


def pdf_message(data: bytes, prompt: str) -> Json:
    return {"role": "user", "content": [file_part(data), {"type": "input_text", "text": prompt}]}


def test_sync_background_is_polled_and_cancelled(api: Api) -> None:
    with sync_client(api) as client:
        made = client.responses.create(model=MODEL, input="My name is Ada", background=True, store=True)
        seen = [made.status]
        while seen[-1] in ("queued", "in_progress"):
            api.clock.now += 1
            seen.append(client.responses.retrieve(made.id).status)
        assert seen == ["queued", "in_progress", "completed"]
        assert client.responses.retrieve(made.id).usage is not None
        other = client.responses.create(model=MODEL, input="Hi", background=True, store=True)
        assert client.responses.cancel(other.id).status == "cancelled"
        api.clock.now += 100
        assert client.responses.retrieve(other.id).status == "cancelled"


def test_sync_background_stream_is_taken_up_again(api: Api) -> None:
    with sync_client(api) as client:
        asked = {"model": MODEL, "input": "Hi", "background": True, "store": True, "stream": True}
        api.server.fault({"cut_events": 9})
        with pytest.raises(APIConnectionError), client.responses.create(**asked) as stream:
            list(stream)
        events = [json.loads(line[6:]) for line in sent_lines(api) if line.startswith("data: ")]
        last = events[-1]["sequence_number"]
        assert last == 8
        api.clock.now += 2
        with client.responses.retrieve(events[0]["response"]["id"], stream=True, starting_after=last) as rest:
            resumed = list(rest)
        assert [event.sequence_number for event in resumed] == list(range(9, 9 + len(resumed)))
        text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
        text += "".join(event.delta for event in resumed if event.type == "response.output_text.delta")
        assert resumed[-1].type == "response.completed"
        assert text == resumed[-1].response.output_text


def sent_lines(api: Api) -> list[str]:
    return api.server.log[-1].sent.decode().split("\n")


def test_sync_structured_output(api: Api) -> None:
    with sync_client(api) as client:
        parsed = client.responses.parse(model=MODEL, input="This wish has 7 votes", text_format=Triage)
        assert isinstance(parsed.output_parsed, Triage)
        assert (parsed.output_parsed.kind, parsed.output_parsed.score) == ("wish", 7)
        free = client.responses.create(
            model=MODEL, input="Give me JSON", text={"format": {"type": "json_object"}}
        )
        assert isinstance(json.loads(free.output_text), dict)


@pytest.mark.parametrize("stateful", [True, False])
def test_sync_tool_loop(api: Api, stateful: bool) -> None:
    with sync_client(api) as client:
        history: list[Any] = [{"role": "user", "content": "What is the status of order A-17?"}]
        asked: dict[str, Any] = {"model": MODEL, "tools": [ORDER], "store": stateful}
        made = client.responses.create(input=history, **asked)
        (call,) = [item for item in made.output if item.type == "function_call"]
        assert json.loads(call.arguments) == {"order_id": "A-17"}
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "shipped on Monday"}
        if stateful:
            done = client.responses.create(input=[result], previous_response_id=made.id, **asked)
        else:
            history += [item.model_dump(exclude_unset=True) for item in made.output]
            done = client.responses.create(input=[*history, result], **asked)
        assert "shipped on Monday" in done.output_text
        assert [item["type"] for item in api.server.last_context()[1:]] == [
            "function_call", "function_call_output"
        ]  # fmt: skip


def test_sync_custom_tool(api: Api) -> None:
    tool = {"type": "custom", "name": "normalize", "description": "Tidy text", "format": {"type": "text"}}
    choice = {"type": "custom", "name": "normalize"}
    with sync_client(api) as client:
        made = client.responses.create(model=MODEL, input="Hello there", tools=[tool], tool_choice=choice)
        (call,) = made.output
        assert call.type == "custom_tool_call" and call.input == "Hello there"
        result = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "hello there"}
        done = client.responses.create(
            model=MODEL, input=[result], tools=[tool], previous_response_id=made.id
        )
        assert "`normalize` returned: hello there" in done.output_text


def test_sync_pdf(api: Api, pdf_bytes: bytes) -> None:
    with sync_client(api) as client:
        message = pdf_message(pdf_bytes, "How thick is the granite layer?")
        made = client.responses.create(model=MODEL, input=[message])
        assert "42 metres" in made.output_text


def test_sync_refusal_and_incomplete(api: Api) -> None:
    with sync_client(api) as client:
        api.server.fault({"refusal": "No, thank you."})
        refused = client.responses.create(model=MODEL, input="Hi")
        assert refused.output[0].content[0].refusal == "No, thank you."
        cut = client.responses.create(model=MODEL, input="Write 300 words", max_output_tokens=16)
        assert cut.status == "incomplete" and cut.incomplete_details.reason == "max_output_tokens"


def test_sync_runtime(api: Api) -> None:
    runtime = bedrock(base_url=api.server.base_url("runtime"), api_key="sandbox", region="us-west-2")
    with OpenAI(provider=runtime, max_retries=0) as client:
        made = client.responses.create(model="us.openai.gpt-5.6-luna", input="Reply with exactly: ok")
        assert made.output_text == "ok"
        with pytest.raises(BadRequestError):
            client.responses.create(model="us.openai.gpt-5.6-luna", input="x", background=True)
    wrong = bedrock(base_url=api.server.base_url("runtime"), api_key="wrong", region="us-west-2")
    with OpenAI(provider=wrong, max_retries=0) as client, pytest.raises(PermissionDeniedError) as caught:
        client.responses.create(model="us.openai.gpt-5.6-luna", input="x")
    assert caught.value.body == {"Message": "Authentication failed: Please make sure your API Key is valid."}
    assert caught.value.request_id is None and caught.value.response.headers["x-amzn-requestid"]


async def test_async_lifecycle_and_background(api: Api) -> None:
    async with async_client(api) as client:
        made = await client.responses.create(model=MODEL, input="Hi", background=True, store=True)
        assert made.status == "queued"
        api.clock.now += 2
        done = await client.responses.retrieve(made.id)
        assert done.status == "completed" and done.output_text
        assert (await client.responses.cancel(made.id)).status == "completed"
        other = await client.responses.create(model=MODEL, input="Hi", background=True, store=True)
        assert (await client.responses.cancel(other.id)).status == "cancelled"
        assert await client.responses.delete(made.id) is None
        with pytest.raises(NotFoundError):
            await client.responses.retrieve(made.id)
        with pytest.raises(NotFoundError):
            await client.responses.create(model=MODEL, input="x", previous_response_id=made.id)


async def test_async_background_stream_is_taken_up_again(api: Api) -> None:
    async with async_client(api) as client:
        stream = await client.responses.create(
            model=MODEL, input="Hi", background=True, store=True, stream=True
        )
        begun = [event async for event in stream]
        response_id = begun[0].response.id
        rest = await client.responses.retrieve(response_id, stream=True, starting_after=6)
        resumed = [event async for event in rest]
        assert [e.model_dump() for e in resumed] == [e.model_dump() for e in begun[7:]]


async def test_async_structured_output_tools_and_pdf(api: Api, pdf_bytes: bytes) -> None:
    async with async_client(api) as client:
        parsed = await client.responses.parse(model=MODEL, input="A bug with 3 votes", text_format=Triage)
        assert parsed.output_parsed is not None and parsed.output_parsed.kind == "bug"
        async with client.responses.stream(model=MODEL, input="A bug", text_format=Triage) as helper:
            final = await helper.get_final_response()
        assert isinstance(final.output_parsed, Triage)
        made = await client.responses.create(model=MODEL, input="Status of order B-2?", tools=[ORDER])
        call = made.output[0]
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "lost at sea"}
        done = await client.responses.create(
            model=MODEL, input=[result], tools=[ORDER], previous_response_id=made.id
        )
        assert "lost at sea" in done.output_text
        read = await client.responses.create(
            model=MODEL, input=[pdf_message(pdf_bytes, "What was the budget for drilling?")]
        )
        assert "9000 crowns" in read.output_text


async def test_async_errors(api: Api) -> None:
    async with async_client(api) as client:
        for fault, kind in (
            ({"status": 429}, RateLimitError),
            ({"status": 503}, InternalServerError),
            ({"status": 500, "body": "<html>Bad gateway</html>"}, InternalServerError),
        ):
            api.server.fault(fault)
            with pytest.raises(kind):
                await client.responses.create(model=MODEL, input="x")
        api.server.fault({"failed_deltas": 2})
        stream = await client.responses.create(model=MODEL, input="Tell me more", stream=True)
        events = [event async for event in stream]
        assert events[-1].type == "response.failed" and events[-1].response.error.code == "server_error"
