"""Chat Completions of the sandbox, against OpenAI's published schemas."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from support.openai_schemas import validate
from support.sandbox_api import MODEL, Api, Json

OSS = "openai.gpt-oss-20b-1:0"
REASONED = "<reasoning>"


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


def said(prompt: str, role: str = "user") -> list[Json]:
    return [{"role": role, "content": prompt}]


def post(
    api: Api, endpoint: str = "runtime", route: str = "", headers: dict[str, str] | None = None, **body: Any
) -> httpx.Response:
    url = api.server.base_url(endpoint)  # type: ignore[arg-type]
    url = url.replace("/openai/v1", route) if route else url
    return api.http.post(f"{url}/chat/completions", json={"model": OSS, **body}, headers=headers)


def chat(api: Api, prompt: str | list[Json], **body: Any) -> Json:
    messages = said(prompt) if isinstance(prompt, str) else prompt
    reply = post(api, messages=messages, **body)
    assert reply.status_code == 200, reply.text
    validate("CreateChatCompletionResponse", reply.json())
    return reply.json()


def chunks(api: Api, prompt: str | list[Json], **body: Any) -> list[Json]:
    messages = said(prompt) if isinstance(prompt, str) else prompt
    reply = post(api, messages=messages, stream=True, **body)
    assert reply.headers["content-type"].startswith("text/event-stream"), reply.text
    blocks = reply.text.removesuffix("\n\n").split("\n\n")
    assert blocks.pop() == "data: [DONE]"
    found = [json.loads(block.removeprefix("data: ")) for block in blocks]
    for one in found:
        validate("CreateChatCompletionStreamResponse", one)
    return found


def content(made: Json) -> str:
    return made["choices"][0]["message"]["content"]


def joined(found: list[Json]) -> str:
    return "".join(one["choices"][0]["delta"].get("content") or "" for one in found if one["choices"])


def test_a_whole_answer(api: Api) -> None:
    made = chat(api, "Reply with exactly: ok")
    head, _, answer = content(made).partition("</reasoning>")
    assert head.startswith(REASONED) and answer == "ok"
    assert made["object"] == "chat.completion" and made["id"].startswith("chatcmpl-")
    assert made["choices"][0]["finish_reason"] == "stop" and made["model"] == OSS
    usage = made["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] > 0


def test_a_streamed_answer(api: Api) -> None:
    found = chunks(api, "Reply with exactly: one two three")
    assert found[0]["choices"][0]["delta"]["role"] == "assistant"
    assert found[-1]["choices"][0]["finish_reason"] == "stop"
    assert not any("usage" in one for one in found)
    pieces = [one["choices"][0]["delta"].get("content") or "" for one in found]
    wrapped = [piece for piece in pieces if REASONED in piece]
    assert len(wrapped) > 5 and all(piece.endswith("</reasoning>") for piece in wrapped)
    assert "".join(piece for piece in pieces if piece not in wrapped) == "one two three"
    counted = chunks(api, "Hi", stream_options={"include_usage": True})
    assert counted[-1]["choices"] == [] and counted[-1]["usage"]["prompt_tokens"] > 150
    assert all(one["usage"] is None for one in counted[:-1])


def test_the_conversation_is_seen(api: Api) -> None:
    made = chat(
        api,
        [
            {"role": "developer", "content": "Speak of granite only."},
            *said("My name is Ada"),
            {"role": "assistant", "content": [{"type": "text", "text": "Hello Ada"}]},
            {"role": "user", "content": [{"type": "text", "text": "What is my name?"}]},
        ],
        reasoning_effort="low",
        temperature=1.0,
        top_p=1.0,
    )
    assert "Ada" in content(made)
    assert [item["role"] for item in api.server.last_context()] == ["developer", "user", "assistant", "user"]
    told = chat(api, [*said("Be brief.", "system"), *said("What are your instructions?")])
    assert "My instructions are: “Be brief.”" in content(told)


def test_limits_and_stops(api: Api) -> None:
    within = chat(api, "Write 300 words", max_completion_tokens=10)
    assert within["choices"][0]["finish_reason"] == "length" and "</reasoning>" not in content(within)
    after = chat(api, "Write 300 words", max_completion_tokens=200, reasoning_effort="low")
    assert after["choices"][0]["finish_reason"] == "length" and "</reasoning>" in content(after)
    assert after["usage"]["completion_tokens"] == 200
    stopped = chat(api, "Reply with exactly: one two three", stop=["three", " two"])
    assert content(stopped).endswith("</reasoning>one") and stopped["choices"][0]["finish_reason"] == "stop"


FORMS = ["whole", "deltas", "cut", "nested", "late", "open", "none"]


@pytest.mark.parametrize("form", FORMS)
def test_reasoning_in_every_form(api: Api, form: str) -> None:
    texts: list[str] = []
    for _ in range(2):
        api.server.fault({"on": "chat", "reasoning": form})
    texts.append(joined(chunks(api, "Reply with exactly: one two three")))
    texts.append(content(chat(api, "Reply with exactly: one two three")))
    assert texts[0] == texts[1]
    counts = {name: texts[0].count(tag) for name, tag in (("open", REASONED), ("close", "</reasoning>"))}
    expected = {
        "whole": (1, 1),
        "cut": (1, 1),
        "nested": (2, 2),
        "late": (1, 1),
        "open": (1, 0),
        "none": (0, 0),
    }
    if form == "deltas":
        assert counts["open"] == counts["close"] > 5
    else:
        assert tuple(counts.values()) == expected[form]
    if form == "late":
        assert texts[0].startswith("one") and texts[0].endswith("three")
    elif form != "open":
        assert texts[0].endswith("one two three")


def test_a_cut_tag_is_cut(api: Api) -> None:
    api.server.fault({"on": "chat", "reasoning": "cut"})
    found = chunks(api, "Reply with exactly: one two three")
    pieces = [one["choices"][0]["delta"].get("content") or "" for one in found]
    assert not any(REASONED in piece or "</reasoning>" in piece for piece in pieces)


def tool(name: str = "get_order_status") -> Json:
    parameters = {
        "type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"],
        "additionalProperties": False,
    }  # fmt: skip
    return {
        "type": "function",
        "function": {"name": name, "description": "Look up", "parameters": parameters},
    }


def test_parallel_tools_whole_and_streamed(api: Api) -> None:
    asked = "What is the status of the orders A-17 and B-2?"
    made = chat(api, asked, tools=[tool()])
    message = made["choices"][0]["message"]
    assert made["choices"][0]["finish_reason"] == "tool_calls"
    found = [json.loads(call["function"]["arguments"])["order_id"] for call in message["tool_calls"]]
    assert found == ["A-17", "B-2"]
    assert (
        len(
            chat(api, asked, tools=[tool()], parallel_tool_calls=False)["choices"][0]["message"]["tool_calls"]
        )
        == 1
    )
    streamed: dict[int, str] = {}
    for one in chunks(api, asked, tools=[tool()]):
        for part in one["choices"][0]["delta"].get("tool_calls", ()):
            streamed[part["index"]] = streamed.get(part["index"], "") + part["function"]["arguments"]
    assert [json.loads(text)["order_id"] for text in streamed.values()] == ["A-17", "B-2"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": f"shipped {number}"}
        for number, call in enumerate(message["tool_calls"])
    ]
    done = chat(api, [*said(asked), message, *results], tools=[tool()])
    assert "shipped 0" in content(done) and "shipped 1" in content(done)


def test_structured_output(api: Api) -> None:
    schema = {
        "type": "object", "properties": {"kind": {"enum": ["bug", "wish"], "type": "string"}},
        "required": ["kind"], "additionalProperties": False,
    }  # fmt: skip
    wanted = {"type": "json_schema", "json_schema": {"name": "triage", "strict": True, "schema": schema}}
    made = chat(api, "A wish", response_format=wanted)
    assert json.loads(content(made).partition("</reasoning>")[2]) == {"kind": "wish"}
    free = chat(api, "Give me JSON", response_format={"type": "json_object"})
    assert json.loads(content(free).partition("</reasoning>")[2])


@pytest.mark.parametrize(
    ("endpoint", "route", "model", "status", "needle"),
    [
        ("mantle", "/v1", "openai.gpt-oss-120b", 200, ""),
        ("mantle", "", "openai.gpt-6-astra", 200, ""),
        ("mantle", "", "openai.gpt-5.6-terra", 200, ""),
        ("runtime", "", "us.openai.gpt-5.6-terra", 200, ""),
        ("mantle", "", MODEL, 400, f"The model '{MODEL}' does not support the '/v1/chat/completions' API"),
        ("mantle", "", "openai.gpt-oss-20b", 400, "model `openai.gpt-oss-20b` isn't supported on this route"),
        ("mantle", "/v1", "openai.gpt-6-astra", 400, "isn't supported on this route"),
        ("mantle", "/v1", OSS, 404, f"The model '{OSS}' does not exist"),
        ("mantle", "", "openai.gpt-6-sol", 404, "The model 'openai.gpt-6-sol' does not exist"),
        ("runtime", "", "openai.gpt-oss-20b", 404, "does not exist"),
        ("runtime", "", "openai.gpt-5.6-terra", 400, "inference profile"),
    ],
)
def test_which_model_is_where(
    api: Api, endpoint: str, route: str, model: str, status: int, needle: str
) -> None:
    reply = post(api, endpoint, route, model=model, messages=said("Hi"))
    assert reply.status_code == status, reply.text
    if status == 200:
        assert (REASONED in content(reply.json())) == ("oss" in model)
    else:
        validate("ErrorResponse", reply.json())
        assert needle in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"n": 2}, "n"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "messages"),
        ({"messages": [{"role": "tool", "tool_call_id": "x", "content": "y"}]}, "messages[0].role"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"max_completion_tokens": 0}, "max_completion_tokens"),
        ({"reasoning_effort": "xhigh"}, "reasoning_effort"),
        ({"response_format": {"type": "json_object"}}, "messages"),
        ({"response_format": {"type": "xml"}}, None),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"functions": []}, "functions"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"max_output_tokens": 20}, "max_output_tokens"),
        ({"model": ""}, "model"),
    ],
)
def test_what_is_refused(api: Api, body: Json, param: str | None) -> None:
    reply = post(api, **{"messages": said("Hi"), **body})
    assert reply.status_code == 400, reply.text
    validate("ErrorResponse", reply.json())
    assert reply.json()["error"]["param"] == param


def test_a_call_without_its_result(api: Api) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "x", "arguments": "{}"}}
    messages = [*said("Hi"), {"role": "assistant", "tool_calls": [call]}, *said("And?")]
    reply = post(api, messages=messages)
    assert reply.status_code == 400 and "did not have response messages: call_1" in reply.text


def test_faults_of_a_stream(api: Api) -> None:
    body: Json = {"messages": said("Reply with exactly: a b c"), "stream": True}
    api.server.fault({"error_deltas": 2})
    reply = post(api, **body)
    assert '"code":"server_error"' in reply.text.split("\n\n")[-2] and "[DONE]" not in reply.text
    api.server.fault({"no_terminal": True})
    reply = post(api, **body)
    assert "[DONE]" not in reply.text and '"finish_reason":"stop"' not in reply.text
    api.server.fault({"cut_events": 4})
    with pytest.raises(httpx.RemoteProtocolError):
        post(api, **body)
    api.server.fault({"status": 429, "headers": {"retry-after": "1"}})
    assert post(api, **body).status_code == 429
    own = {"sandbox_fault": json.dumps({"malformed_events": 3})}
    assert '"choi\n\n' in post(api, **body, metadata=own).text


def test_faults_are_for_the_api_they_name(api: Api) -> None:
    api.server.fault({"on": "invoke", "status": 503})
    api.server.fault({"on": "responses", "status": 502})
    assert post(api, messages=said("Hi")).status_code == 200
    assert api.post(model=MODEL, input="Hi").status_code == 502
    api.server.fault({"on": "create", "status": 500})
    assert post(api, messages=said("Hi")).status_code == 500
    for wrong in ({"reasoning": "sideways"}, {"exception": "oops"}, {"on": "talk"}):
        with pytest.raises(ValueError, match="one of"):
            api.server.fault(wrong)


def test_responses_of_open_weights(api: Api) -> None:
    """They take sampling beside reasoning; section 5 recommends it."""
    url = api.server.base_url(route="/v1") + "/responses"
    body = {
        "model": "openai.gpt-oss-20b",
        "input": "Reply with exactly: ok",
        "temperature": 1.0,
        "top_p": 1.0,
    }
    made = api.http.post(url, json={**body, "reasoning": {"effort": "medium"}})
    assert made.status_code == 200, made.text
    kinds = [item["type"] for item in made.json()["output"]]
    assert kinds == ["reasoning", "message"] and made.json()["temperature"] == 1.0
    runtime = api.http.post(api.server.base_url("runtime") + "/responses", json={**body, "model": OSS})
    assert runtime.status_code == 400 and "does not support the '/v1/responses' API" in runtime.text


def guarded(suffix: str | None = None, **headers: str) -> Json:
    found: Json = {
        "headers": {
            "X-Amzn-Bedrock-GuardrailIdentifier": "sandboxguard",
            "X-Amzn-Bedrock-GuardrailVersion": "1",
            "X-Amzn-Bedrock-Trace": "ENABLED",
            **headers,
        }
    }
    return {**found, "amazon-bedrock-guardrailConfig": {"tagSuffix": suffix}} if suffix else found


ASKED = "Is volcano insurance any good?"


def test_a_guardrail(api: Api) -> None:
    calm = chat(api, "Reply with exactly: ok", **guarded())
    assert calm["amazon-bedrock-guardrailAction"] == "NONE" and content(calm).endswith("ok")
    refused = chat(api, ASKED, **guarded())
    assert refused["amazon-bedrock-guardrailAction"] == "INTERVENED"
    assert refused["choices"][0]["finish_reason"] == "content_filter" and "takes no questions" in content(
        refused
    )
    found = refused["amazon-bedrock-trace"]["guardrail"]["input"]["sandboxguard"]["topicPolicy"]["topics"][0]
    assert found["name"] == "Volcano insurance" and found["action"] == "BLOCKED"
    withheld = chat(api, "Reply with exactly: quicksand", **guarded())
    assert content(withheld).startswith("Sorry") and "withholds" in content(withheld)
    masked = chat(api, "Reply with exactly: write to ada@example.com", **guarded())
    assert content(masked).endswith("write to {EMAIL}")
    assert masked["amazon-bedrock-trace"]["guardrail"]["actionReason"] == "Guardrail masked."
    last = chunks(api, ASKED, **guarded())[-1]
    assert last["amazon-bedrock-guardrailAction"] == "INTERVENED" and last["amazon-bedrock-trace"]


def test_what_a_guardrail_looks_at(api: Api) -> None:
    tag = "amazon-bedrock-guardrails-guardContent_xyz"
    outside = chat(api, f"{ASKED} <{tag}>Reply with exactly: ok</{tag}>", **guarded("xyz"))
    assert outside["amazon-bedrock-guardrailAction"] == "NONE" and tag not in content(outside)
    within = chat(api, f"Say <{tag}>{ASKED}</{tag}>", **guarded("xyz"))
    assert within["amazon-bedrock-guardrailAction"] == "INTERVENED"
    silent = chat(api, ASKED, **guarded(**{"X-Amzn-Bedrock-Trace": "DISABLED"}))
    assert "amazon-bedrock-trace" not in silent
    unknown = post(api, messages=said("Hi"), **guarded(**{"X-Amzn-Bedrock-GuardrailIdentifier": "nope"}))
    assert unknown.status_code == 400 and "does not exist" in unknown.text


def test_guardrails_do_not_apply_to_responses(api: Api) -> None:
    url = api.server.base_url("runtime") + "/responses"
    body = {"model": "us.openai.gpt-5.6-terra", "input": "Reply with exactly: quicksand"}
    assert "quicksand" in api.http.post(url, json=body, headers=guarded()["headers"]).text.lower()
