from __future__ import annotations

import json

import pytest
from support.sandbox_api import MODEL, Api, text_of


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


def test_first_answer_says_it_is_a_sandbox_and_later_ones_do_not(api: Api) -> None:
    first = api.create("Tell me about glaciers")
    second = api.create("And about rivers", previous_response_id=first["id"])
    assert "sandbox, not a model" in text_of(first)
    assert "sandbox" not in text_of(second)
    assert ("## " in text_of(first) and "```" in text_of(first)) or "|" in text_of(first)
    assert text_of(first) != text_of(api.create("Tell me about deserts"))


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Reply with exactly: ok", "ok"),
        ("Please reply with exactly: two\nlines\n", "two\nlines"),
        ("Answer with only the word: granite", "granite"),
        ("reply with exactly **bold** `x`", "**bold** `x`"),
    ],
)
def test_exact_reply(api: Api, prompt: str, expected: str) -> None:
    assert text_of(api.create(prompt)) == expected


def test_ids_and_request_id_look_like_the_service(api: Api) -> None:
    reply = api.post(model=MODEL, input="Hi")
    body = reply.json()
    for found, prefix in (
        (reply.headers["x-request-id"], "req_"),
        (body["id"], "resp_"),
        (body["output"][0]["id"], "msg_"),
    ):
        assert found.startswith(prefix)
        assert len(found) == len(prefix) + 52
        assert set(found.removeprefix(prefix)) <= set("abcdefghijklmnopqrstuvwxyz234567")


def test_usage_adds_up_and_counts_the_hidden_overhead(api: Api) -> None:
    usage = api.create("Reply with exactly: ok")["usage"]
    assert 150 < usage["input_tokens"] < 180
    assert usage["output_tokens"] == 1
    assert usage["total_tokens"] == usage["input_tokens"] + 1
    assert usage["input_tokens_details"] == {"cached_tokens": 0}
    newer = api.create("Reply with exactly: ok", model="openai.gpt-5.6-luna")["usage"]
    assert newer["input_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 0}


def test_a_prefix_seen_before_is_cached_in_steps_of_128_per_key(api: Api) -> None:
    long = "granite " * 2000
    first = api.create(long, prompt_cache_key="k")["usage"]
    again = api.create(long, prompt_cache_key="k")["usage"]
    other_key = api.create(long, prompt_cache_key="other")["usage"]
    assert first["input_tokens_details"]["cached_tokens"] == 0
    cached = again["input_tokens_details"]["cached_tokens"]
    assert cached >= 1024 and cached % 128 == 0 and cached > again["input_tokens"] - 300
    assert other_key["input_tokens_details"]["cached_tokens"] == 0
    api.clock.now += 601
    assert api.create(long, prompt_cache_key="k")["usage"]["input_tokens_details"]["cached_tokens"] == 0


def test_max_output_tokens_cuts_the_answer(api: Api) -> None:
    whole = api.create("Write 300 words")
    cut = api.create("Write 300 words", max_output_tokens=40)
    assert whole["status"] == "completed" and whole["incomplete_details"] is None
    assert cut["status"] == "incomplete"
    assert cut["incomplete_details"] == {"reason": "max_output_tokens"}
    assert cut["usage"]["output_tokens"] == 40
    assert cut["output"][-1]["status"] == "incomplete"
    assert text_of(whole).startswith(text_of(cut)) and 0 < len(text_of(cut)) < len(text_of(whole))


def test_the_limit_counts_reasoning(api: Api) -> None:
    cut = api.create("Tell me more", max_output_tokens=20, reasoning={"effort": "high"})
    assert [item["type"] for item in cut["output"]] == ["reasoning"]
    assert cut["usage"]["output_tokens_details"]["reasoning_tokens"] == 20


def test_reasoning_item_stands_in_front_and_carries_what_was_asked(api: Api) -> None:
    plain = api.create("Hi", reasoning={"effort": "low"})
    assert [item["type"] for item in plain["output"]] == ["reasoning", "message"]
    assert plain["output"][0]["summary"] == [] and "encrypted_content" not in plain["output"][0]
    assert plain["usage"]["output_tokens_details"]["reasoning_tokens"] > 0
    full = api.create(
        "Hi",
        reasoning={"effort": "low", "summary": "auto"},
        include=["reasoning.encrypted_content"],
        store=False,
    )
    assert full["output"][0]["summary"] and full["output"][0]["encrypted_content"]
    assert [i["type"] for i in api.create("Hi")["output"]] == ["message"]


def test_summary_is_refused_by_newer_models_even_when_null(api: Api) -> None:
    for value in ("auto", None):
        error = api.refused(400, model="openai.gpt-5.6-terra", input="x", reasoning={"summary": value})
        assert error["param"] == "reasoning.summary"


def test_encrypted_reasoning_is_verified_on_replay(api: Api) -> None:
    asked = {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"], "store": False}
    first = api.create("My number is 7", **asked)
    history = [
        {"role": "user", "content": "My number is 7"},
        *first["output"],
        {"role": "user", "content": "Which number is my number?"},
    ]
    assert "7" in text_of(api.create(history, **asked))
    blob = first["output"][0]["encrypted_content"]
    altered = json.loads(json.dumps(history))
    altered[1]["encrypted_content"] = blob[:20] + ("A" if blob[20] != "A" else "B") + blob[21:]
    error = api.refused(400, model=MODEL, input=altered, **asked)
    assert error["code"] == "invalid_encrypted_content"
    foreign = api.refused(400, model="openai.gpt-5.6-luna", input=history, **asked)
    assert foreign["code"] == "invalid_encrypted_content"
    del history[1]["encrypted_content"]
    error = api.refused(404, model=MODEL, input=history, **asked)
    assert "Items are not persisted" in error["message"]


def test_stored_reasoning_may_come_back_without_its_content(api: Api) -> None:
    first = api.create("One", reasoning={"effort": "low"})
    api.create([{"role": "user", "content": "One"}, *first["output"], {"role": "user", "content": "Two"}])


@pytest.mark.parametrize(
    ("status", "body", "needle"),
    [
        (400, {"input": "x"}, "Missing required parameter: 'model'."),
        (400, {"model": MODEL}, "Missing required parameter: 'input'."),
        (404, {"model": "openai.gpt-5.5", "input": "x"}, "The model 'openai.gpt-5.5' does not exist"),
        (404, {"model": "nope", "input": "x"}, "The model 'nope' does not exist"),
        (
            400,
            {"model": "openai.gpt-oss-20b", "input": "x"},
            "model `openai.gpt-oss-20b` isn't supported on this route",
        ),
        (
            400,
            {"model": MODEL, "input": [{"type": "compaction_trigger"}]},
            "did not match any expected variant",
        ),
        (
            400,
            {"model": MODEL, "input": [{"role": "user", "content": [{"type": "nope"}]}]},
            "Invalid 'input'",
        ),
        (400, {"model": MODEL, "input": 3}, "Invalid 'input'"),
        (400, {"model": MODEL, "input": "x", "max_output_tokens": 3}, "max_output_tokens"),
        (400, {"model": MODEL, "input": "x", "stream": "yes"}, "stream"),
        (400, {"model": MODEL, "input": "x", "nope": 1}, "Unknown parameter: 'nope'."),
        (400, {"model": MODEL, "input": "x", "reasoning": {"effort": "minimal"}}, "minimal"),
        (400, {"model": MODEL, "input": "x", "reasoning": {"effort": "max"}}, "max"),
        (
            400,
            {"model": MODEL, "input": "x", "temperature": 0.5, "reasoning": {"effort": "low"}},
            "temperature",
        ),
        (400, {"model": MODEL, "input": "x", "tools": [{"type": "web_search"}]}, "web_search"),
        (400, {"model": MODEL, "input": "x", "background": True, "store": False}, "background"),
    ],
)
def test_refusals(api: Api, status: int, body: dict[str, object], needle: str) -> None:
    assert needle in api.refused(status, **body)["message"]


def test_body_that_is_no_json(api: Api) -> None:
    reply = api.http.post(api.url + "/responses", content=b"{nope")
    assert reply.status_code == 400
    assert "not valid JSON" in reply.json()["error"]["message"]


def test_context_overflow_uses_the_services_own_words(api: Api) -> None:
    gpt_oss = api.url.replace("/openai/v1", "/v1") + "/responses"
    reply = api.http.post(gpt_oss, json={"model": "openai.gpt-oss-20b", "input": "a " * 130_000})
    assert reply.status_code == 400
    assert "exceed model maximum (128000) for openai.gpt-oss-20b" in reply.json()["error"]["message"]


def test_routes(api: Api) -> None:
    root = api.url.removesuffix("/openai/v1")
    assert api.http.get(api.url + "/models").status_code == 404
    listed = api.http.get(root + "/v1/models").json()
    ids = {model["id"] for model in listed["data"]}
    assert MODEL in ids and "openai.gpt-5.5" not in ids
    wrong = api.http.post(root + "/v1/responses", json={"model": MODEL, "input": "x"})
    assert wrong.status_code == 400 and "isn't supported on this route" in wrong.text
    chat = api.http.post(api.url + "/chat/completions", json={"model": MODEL, "messages": []})
    assert chat.status_code == 400 and "does not support the" in chat.text
    assert api.http.get(api.url + "/nothing").status_code == 404


def test_strict_schema_output_fits(api: Api) -> None:
    import jsonschema

    schema = {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["bug", "wish"]},
            "score": {"type": "integer", "minimum": 1, "maximum": 5},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "inner": {"$ref": "#/$defs/inner"},
            "maybe": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        },
        "required": ["kind", "score", "tags", "inner", "maybe"],
        "additionalProperties": False,
        "$defs": {
            "inner": {
                "type": "object",
                "properties": {"x": {"type": "number"}},
                "required": ["x"],
                "additionalProperties": False,
            }
        },
    }
    wanted = {"type": "json_schema", "name": "triage", "strict": True, "schema": schema}
    value = json.loads(text_of(api.create("This wish has 99 votes", text={"format": wanted})))
    jsonschema.validate(value, schema)
    assert value["kind"] == "wish" and value["score"] == 5
    loose = {**wanted, "schema": {**schema, "additionalProperties": True}}
    assert api.refused(400, model=MODEL, input="x", text={"format": loose})["code"] == "invalid_json_schema"
    free = api.create("Give me JSON", text={"format": {"type": "json_object"}})
    assert isinstance(json.loads(text_of(free)), dict)
    assert (
        "json"
        in api.refused(400, model=MODEL, input="x", text={"format": {"type": "json_object"}})["message"]
    )


def test_tool_loop(api: Api) -> None:
    parameters = {
        "type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"],
        "additionalProperties": False,
    }  # fmt: skip
    status = {
        "type": "function",
        "name": "get_order_status",
        "description": "Look an order up",
        "strict": True,
        "parameters": parameters,
    }
    refund = {**status, "name": "refund_order", "description": "Pay an order back"}
    custom = {"type": "custom", "name": "normalize", "description": "Tidy text", "format": {"type": "text"}}
    first = api.create("What is the status of order A-17?", tools=[status, custom])
    (call,) = first["output"]
    assert call["type"] == "function_call" and json.loads(call["arguments"]) == {"order_id": "A-17"}
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "shipped on Monday"}
    done = api.create([result], tools=[status, custom], previous_response_id=first["id"])
    assert "`get_order_status` returned: shipped on Monday" in text_of(done)
    two = api.create("Refund order A-17 and tell its status", tools=[status, refund])
    assert [item["name"] for item in two["output"]] == ["get_order_status", "refund_order"]
    one = api.create("Refund order A-17", tools=[status, refund], parallel_tool_calls=False)
    assert len(one["output"]) == 1
    named = api.create("Hello there", tools=[custom], tool_choice={"type": "custom", "name": "normalize"})
    assert named["output"][0]["input"] == "Hello there"
    assert text_of(api.create("order", tools=[status], tool_choice="none"))
    lost = {**result, "call_id": "call_unknown"}
    assert "No tool call found" in api.refused(400, model=MODEL, input=[lost])["message"]


def test_a_lone_surrogate_survives(api: Api) -> None:
    for stream in (False, True):
        raw = json.dumps({"model": MODEL, "input": "Reply with exactly: a\ud83d", "stream": stream})
        reply = api.http.post(api.url + "/responses", content=raw)
        assert reply.status_code == 200
        assert "a\\ud83d" in reply.content.decode("utf-8")


def test_reasoning_without_an_id_is_taken_when_it_carries_its_content(api: Api) -> None:
    asked = {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"], "store": False}
    first = api.create("One", **asked)
    stripped = [{k: v for k, v in item.items() if k != "id"} for item in first["output"][:1]]
    api.create([{"role": "user", "content": "One"}, *stripped, {"role": "user", "content": "Two"}], **asked)
