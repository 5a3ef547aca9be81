from __future__ import annotations

import time

import httpx
import pytest
from support.programs import until
from support.sandbox_api import MODEL, Api, events_of, text_of


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


def kinds(events: list[dict[str, object]]) -> list[object]:
    """The types, with runs of the same delta written once."""
    out: list[object] = []
    for event in events:
        if not (out and out[-1] == event["type"] and str(event["type"]).endswith("delta")):
            out.append(event["type"])
    return out


def test_order_fields_and_numbers_of_a_message(api: Api) -> None:
    events = api.stream("Tell me about glaciers")
    assert kinds(events) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    final = events[-1]["response"]
    joined = "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")
    done = next(e for e in events if e["type"] == "response.output_text.done")
    assert joined == done["text"] == text_of(final)
    assert events[-2]["item"] == final["output"][0]
    assert {e["item_id"] for e in events if "item_id" in e} == {final["output"][0]["id"]}
    for event in events[:2]:
        assert event["response"]["status"] == "in_progress"
        assert event["response"]["usage"] is None and event["response"]["output"] == []
        assert event["response"]["id"] == final["id"]
    assert final["status"] == "completed" and final["usage"]["output_tokens"] > 50


def test_the_same_as_without_a_stream(api: Api) -> None:
    streamed = api.stream("Tell me about glaciers")[-1]["response"]
    plain = api.create("Tell me about glaciers")
    assert text_of(streamed) == text_of(plain)
    assert streamed["usage"] == plain["usage"]


def test_reasoning_with_summary_comes_first(api: Api) -> None:
    events = api.stream(
        "Hi", reasoning={"effort": "low", "summary": "auto"}, include=["reasoning.encrypted_content"]
    )
    assert kinds(events)[2:] == [
        "response.output_item.added",
        *[
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
        ]
        * 2,
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    added = [e["item"] for e in events if e["type"] == "response.output_item.added"]
    done = [e["item"] for e in events if e["type"] == "response.output_item.done"]
    assert [item["type"] for item in added] == ["reasoning", "message"]
    assert "encrypted_content" not in added[0] and done[0]["encrypted_content"]
    assert done == events[-1]["response"]["output"]


def test_reasoning_of_gpt_oss_is_text(api: Api) -> None:
    oss = Api(api.server, api.url.replace("/openai/v1", "/v1"), api.clock, api.http)
    events = oss.stream("Hi", model="openai.gpt-oss-20b", reasoning={"effort": "low"})
    reasoning = events[-1]["response"]["output"][0]
    assert kinds(events)[2:5] == [
        "response.output_item.added",
        "response.reasoning_text.delta",
        "response.reasoning_text.done",
    ]
    told = "".join(e["delta"] for e in events if e["type"] == "response.reasoning_text.delta")
    assert told == "".join(part["text"] for part in reasoning["content"]) and reasoning["summary"] == []


def test_tool_calls(api: Api) -> None:
    tool = {
        "type": "function",
        "name": "look_up",
        "description": None,
        "strict": False,
        "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
    }
    custom = {"type": "custom", "name": "normalize"}
    events = api.stream("look up and normalize this", tools=[tool, custom])
    assert kinds(events)[2:-1] == [
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.output_item.done",
    ]
    function, custom_call = events[-1]["response"]["output"]
    deltas = [e["delta"] for e in events if e["type"] == "response.function_call_arguments.delta"]
    assert "".join(deltas) == function["arguments"]
    assert custom_call["input"] == "look up and normalize this"


def test_incomplete_is_a_terminal_event_of_its_own(api: Api) -> None:
    events = api.stream("Write 300 words", max_output_tokens=16)
    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert sum(e["type"] == "response.output_text.delta" for e in events) == 16


def test_refusal(api: Api) -> None:
    api.server.fault({"refusal": "No, thank you."})
    events = api.stream("Hi")
    assert "response.refusal.done" in kinds(events)
    assert events[-1]["response"]["output"][0]["content"] == [
        {"type": "refusal", "refusal": "No, thank you."}
    ]


def test_a_stream_can_be_continued_as_soon_as_it_ended(api: Api) -> None:
    first = api.stream("My name is Ada")[-1]["response"]
    assert "Ada" in text_of(api.create("What is my name?", previous_response_id=first["id"]))


def test_benchmark_models_stream_exactly_as_many_deltas(api: Api) -> None:
    for count in (20, 1000):
        events = api.stream("x", model=f"fake-{count}-0", max_output_tokens=16)
        deltas = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
        assert len(deltas) == count
        text = "".join(deltas)
        assert text.endswith("ENDOFANSWER") and text.count("```") % 2 == 0
        assert events[-1]["response"]["usage"]["output_tokens"] == count
    assert "## " in text and "| " in text and "- " in text


def test_benchmark_models_of_one_block(api: Api) -> None:
    for shape, has in (
        ("table", "\n| **"),
        ("fence", "\n```\n"),
        ("list", "\n- "),
        ("cjk", "岩"),
        ("emoji", "\u200d"),
    ):
        model = f"fake-300-0-{shape}"
        events = api.stream("x", model=model)
        deltas = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
        assert len(deltas) == 300 and has in "".join(deltas)
        assert "".join(deltas).endswith("ENDOFANSWER")
        assert (events[-1]["response"]["model"], events[-1]["type"]) == (model, "response.completed")


def test_the_log_says_when_bytes_were_sent(api: Api) -> None:
    begun = time.monotonic()
    api.stream("x", model="fake-40-400")
    first, last = api.server.log[-1].sent_at or (0, 0)
    assert begun < first < last < time.monotonic() and last - first > 0.09


def test_rate_is_kept(api: Api) -> None:
    begun = time.monotonic()
    api.stream("x", model="fake-40-400")
    assert 0.09 < time.monotonic() - begun < 0.6


def test_unpaced_streams_are_sent_in_batches(api: Api) -> None:
    api.stream("x", model="fake-2000-0")
    record = api.server.log[-1]
    assert record.events > 2000
    assert len(record.chunks) < 60


def test_the_log_holds_what_was_sent_and_never_the_key(api: Api) -> None:
    reply = api.post(model=MODEL, input="Hi", stream=True)
    record = api.server.log[-1]
    assert (record.method, record.path, record.status) == ("POST", "/openai/v1/responses", 200)
    assert record.sent == reply.content
    assert record.json == {"model": MODEL, "input": "Hi", "stream": True}
    # The client has the last byte before the server has noted it.
    assert until(lambda: record.ended, "the end of the answer") == "finished"
    assert record.last_event == "response.completed"
    assert record.events == len(events_of(reply.text))
    assert record.request_id == reply.headers["x-request-id"]
    assert "authorization" not in record.headers
    assert "Bearer" not in repr(record)


def test_a_client_that_goes_is_noticed_at_once_even_at_a_slow_rate(api: Api) -> None:
    body = {"model": "fake-100-1", "input": "x", "stream": True}
    with api.http.stream("POST", api.url + "/responses", json=body) as reply:
        next(reply.iter_raw())
        left = time.monotonic()
    record = api.server.log.wait_for(lambda r: r.ended == "disconnected", timeout=1)
    assert time.monotonic() - left < 0.2
    assert record.events < 20


def test_a_client_that_goes_during_a_plain_answer_is_noticed(api: Api) -> None:
    with (
        pytest.raises(httpx.ReadTimeout),
        httpx.Client(headers=dict(api.http.headers), timeout=0.1) as client,
    ):
        client.post(api.url + "/responses", json={"model": "fake-100-1", "input": "x"})
    api.server.log.wait_for(lambda r: r.ended == "disconnected", timeout=1)


def test_an_interrupted_stream_is_not_stored(api: Api) -> None:
    body = {"model": "fake-100-1", "input": "x", "stream": True}
    with api.http.stream("POST", api.url + "/responses", json=body) as reply:
        first = next(reply.iter_text())
    response_id = first.partition('"id":"')[2].partition('"')[0]
    assert response_id.startswith("resp_")
    api.server.log.wait_for(lambda r: r.ended == "disconnected", timeout=1)
    assert api.http.get(f"{api.url}/responses/{response_id}").status_code == 404
