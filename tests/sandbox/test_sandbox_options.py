"""Service tiers, cache control, obfuscation, and what the server's options change."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from support.sandbox_api import MODEL, Api, Json, file_part, text_of

LUNA = "openai.gpt-5.6-luna"


def summed_up(api: Api, earlier: list[str], **bounds: int) -> Json:
    """What the server makes of these messages where a summary with facts and rules is asked for."""
    texts = {"type": "array", "items": {"type": "string"}}
    schema = {
        "type": "object",
        "properties": {"durable_facts": texts, "policy_constraints": {**texts, **bounds}},
        "required": ["durable_facts", "policy_constraints"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "name": "summary", "strict": True, "schema": schema}
    said = [{"role": "user", "content": text} for text in [*earlier, "Summarize the conversation."]]
    return json.loads(text_of(api.create(said, text={"format": wanted})))


def test_a_summary_s_rules_are_what_sounds_like_rules(shared_api: Api) -> None:
    fact, rule = "The codename is Basalt.", "Never mention prices."
    summary = summed_up(shared_api, [fact, rule])
    assert summary == {"durable_facts": [fact, rule], "policy_constraints": [rule]}
    assert summed_up(shared_api, [fact]) == {"durable_facts": [fact], "policy_constraints": []}
    assert summed_up(shared_api, [fact], minItems=1)["policy_constraints"] == [fact]


def deltas(events: list[Json]) -> list[Json]:
    return [event for event in events if event["type"].endswith(".delta")]


@pytest.mark.parametrize("tier", ["auto", "default", None])
def test_every_tier_that_is_taken_is_the_default_one(shared_api: Api, tier: str | None) -> None:
    assert shared_api.create("Hi", service_tier=tier)["service_tier"] == "default"


@pytest.mark.parametrize("tier", ["flex", "priority", "scale", "nope"])
def test_other_tiers_are_refused(shared_api: Api, tier: str) -> None:
    error = shared_api.refused(400, model=MODEL, input="x", service_tier=tier)
    assert (error["code"], error["param"]) == ("unsupported_value", "service_tier")
    assert "'auto', 'default'" in error["message"]


@pytest.mark.parametrize(
    ("model", "retention", "taken"),
    [(MODEL, "in_memory", True), (MODEL, "24h", True), (LUNA, "24h", True), (LUNA, "in_memory", False),
     (MODEL, "forever", False)],
)  # fmt: skip
def test_cache_retention_by_model(shared_api: Api, model: str, retention: str, taken: bool) -> None:
    body = {"model": model, "input": "Hi", "prompt_cache_retention": retention}
    if taken:
        assert shared_api.post(**body).json()["prompt_cache_retention"] == retention
    else:
        assert shared_api.refused(400, **body)["param"] == "prompt_cache_retention"


def test_cache_options_are_for_newer_models_and_decide_how_long(shared_api: Api) -> None:
    options = {"mode": "implicit", "ttl": "30m"}
    refused = shared_api.refused(400, model=MODEL, input="Hi", prompt_cache_options=options)
    assert refused["param"] == "prompt_cache_options"
    asked = {"model": LUNA, "prompt_cache_options": options, "prompt_cache_key": "options"}
    long = "basalt " * 2000
    written = shared_api.create(long, **asked)["usage"]["input_tokens_details"]
    assert written["cached_tokens"] == 0 and written["cache_write_tokens"] > 2000
    shared_api.clock.now += 1799
    cached = shared_api.create(long, **asked)["usage"]["input_tokens_details"]
    assert cached["cached_tokens"] > 1900
    shared_api.clock.now += 1801
    assert shared_api.create(long, **asked)["usage"]["input_tokens_details"]["cached_tokens"] == 0


def test_deltas_are_padded_unless_it_is_declined(shared_api: Api) -> None:
    tool = {"type": "function", "name": "look_up", "description": None, "strict": False,
            "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}}  # fmt: skip
    reasoning = {"effort": "low", "summary": "auto"}
    for asked in ({"reasoning": reasoning}, {"tools": [tool]}):
        padded = shared_api.stream("look up the ridge", **asked)
        plain = shared_api.stream("look up the ridge", stream_options={"include_obfuscation": False}, **asked)
        assert all("obfuscation" in event for event in deltas(padded))
        assert len({len(event["obfuscation"]) for event in deltas(padded)}) > 3
        assert not any("obfuscation" in event for event in plain)
        assert [event["delta"] for event in deltas(padded)] == [event["delta"] for event in deltas(plain)]
        assert not any("obfuscation" in event for event in padded if event not in deltas(padded))


def test_a_benchmark_is_not_padded(shared_api: Api) -> None:
    assert not any("obfuscation" in event for event in shared_api.stream("x", model="fake-20-0"))


def test_text_models_take_no_files(shared_api: Api, pdf_bytes: bytes) -> None:
    items = [{"role": "user", "content": [file_part(pdf_bytes), {"type": "input_text", "text": "Read"}]}]
    url = shared_api.url.replace("/openai/v1", "/v1")
    reply = shared_api.http.post(url + "/responses", json={"model": "openai.gpt-oss-20b", "input": items})
    assert reply.status_code == 400 and "takes text only" in reply.json()["error"]["message"]


def test_a_quota_that_does_not_say_when_to_come_back(start: Callable[..., Api]) -> None:
    api = start(tokens_per_minute=3000, retry_after=False)
    api.create("Hi", max_output_tokens=2500)
    reply = api.post(model=MODEL, input="Hi", max_output_tokens=2500)
    assert reply.status_code == 429 and "retry-after" not in reply.headers
    # Each region has a quota of its own, and so has each endpoint.
    elsewhere = api.server.base_url("mantle", "us-east-1") + "/responses"
    body = {"model": MODEL, "input": "Hi", "max_output_tokens": 2500}
    assert api.http.post(elsewhere, json=body).status_code == 200
    api.clock.now += 60
    api.create("Hi", max_output_tokens=2500)


def test_cached_tokens_are_not_counted_by_the_quota(start: Callable[..., Api]) -> None:
    api = start(tokens_per_minute=5000)
    long = "slate " * 3000
    api.create(long, max_output_tokens=100)
    assert api.create(long, max_output_tokens=100)["usage"]["input_tokens_details"]["cached_tokens"] > 2000
    assert api.post(model=MODEL, input="gneiss " * 3000, max_output_tokens=100).status_code == 429


def test_resuming_streams_can_be_switched_off(start: Callable[..., Api]) -> None:
    api = start(resume_streams=False)
    made = api.stream("Hi", background=True)[-1]["response"]
    url = f"{api.url}/responses/{made['id']}"
    assert api.http.get(url, params={"stream": "true"}).status_code == 400
    assert api.http.get(url).json()["status"] == "completed" and text_of(made)


def test_summary_refused_or_taken_whatever_the_model(start: Callable[..., Api]) -> None:
    asked = {"model": LUNA, "input": "Hi", "reasoning": {"effort": "low", "summary": "auto"}}
    assert start(refuse_summary=False).post(**asked).json()["output"][0]["summary"]
    assert start().refused(400, **asked)["param"] == "reasoning.summary"


def test_explicit_breakpoints_decide_what_is_written(shared_api: Api) -> None:
    explicit = {"model": LUNA, "prompt_cache_options": {"mode": "explicit"}, "prompt_cache_key": "explicit"}
    point = {"prompt_cache_breakpoint": {"mode": "explicit"}}

    def message(words: str, **more: object) -> dict[str, object]:
        return {"role": "user", "content": [{"type": "input_text", "text": words, **more}]}

    long, more = "schist " * 2000, "schist " * 2000
    nothing = shared_api.create([message(long)], **explicit)["usage"]["input_tokens_details"]
    assert nothing == {"cached_tokens": 0, "cache_write_tokens": 0}
    first = shared_api.create([message(long, **point), message(more)], **explicit)["usage"]
    written = first["input_tokens_details"]["cache_write_tokens"]
    assert 2000 < written < first["input_tokens"] / 2 + 200
    again = shared_api.create([message(long, **point), message("other")], **explicit)["usage"]
    assert again["input_tokens_details"]["cached_tokens"] > 1900
    refused = shared_api.refused(400, model=MODEL, input=[message("x", **point)])
    assert refused["param"] == "prompt_cache_breakpoint"
    wrong = {**explicit, "prompt_cache_options": {"mode": "never"}}
    assert shared_api.refused(400, input="x", **wrong)["param"] == "prompt_cache_options.mode"
