from __future__ import annotations

import json

import httpx
import pytest
from support.openai_schemas import validate
from support.sandbox_api import MODEL, Api, events_of, text_of


def test_retrieve_returns_what_create_returned(api: Api) -> None:
    made = api.create("Tell me about glaciers", reasoning={"effort": "low"}, metadata={"a": "b"})
    got = api.http.get(f"{api.url}/responses/{made['id']}")
    assert got.json() == made
    validate("Response", got.json())


def test_delete_once(api: Api) -> None:
    made = api.create("Hi")
    url = f"{api.url}/responses/{made['id']}"
    assert api.http.delete(url).json() == {"id": made["id"], "object": "response", "deleted": True}
    for reply in (api.http.delete(url), api.http.get(url), api.http.post(url + "/cancel")):
        assert reply.status_code == 404
        validate("ErrorResponse", reply.json())
    assert api.http.get(f"{api.url}/responses/{made['id']}/input_items").status_code == 404


def test_unstored_cannot_be_retrieved(api: Api) -> None:
    assert api.http.get(f"{api.url}/responses/{api.create('Hi', store=False)['id']}").status_code == 404


def test_cancelling_a_finished_response_changes_nothing(api: Api) -> None:
    made = api.create("Hi")
    reply = api.http.post(f"{api.url}/responses/{made['id']}/cancel")
    assert reply.status_code == 200 and reply.json() == made


def test_background_goes_through_its_states_by_the_clock(api: Api) -> None:
    made = api.create("My name is Ada", background=True)
    url = f"{api.url}/responses/{made['id']}"
    assert made["status"] == "queued" and made["output"] == [] and made["usage"] is None
    error = api.refused(400, model=MODEL, input="x", previous_response_id=made["id"])
    assert "queued" in error["message"]
    api.clock.now += 1
    got = api.http.get(url).json()
    validate("Response", got)
    assert got["status"] == "in_progress"
    api.clock.now += 1
    done = api.http.get(url).json()
    validate("Response", done)
    assert done["status"] == "completed" and text_of(done) and done["usage"]
    assert "Ada" in text_of(api.create("What is my name?", previous_response_id=made["id"]))


def test_cancelled_background_stays_cancelled(api: Api) -> None:
    made = api.create("Hi", background=True)
    url = f"{api.url}/responses/{made['id']}"
    assert api.http.post(url + "/cancel").json()["status"] == "cancelled"
    api.clock.now += 100
    got = api.http.get(url).json()
    assert got["status"] == "cancelled" and got["output"] == []


def test_background_stream_can_be_taken_up_again(api: Api) -> None:
    events = api.stream("Hi", background=True)
    assert [e["type"] for e in events[:3]] == ["response.created", "response.queued", "response.in_progress"]
    url = f"{api.url}/responses/{events[0]['response']['id']}"
    rest = events_of(api.http.get(url, params={"stream": "true", "starting_after": 7}).text)
    assert rest == events[8:]


def test_only_what_was_streamed_can_be_streamed_again(api: Api) -> None:
    for made in (api.create("Hi"), api.create("Hi", background=True)):
        reply = api.http.get(f"{api.url}/responses/{made['id']}", params={"stream": "true"})
        assert reply.status_code == 400 and reply.json()["error"]["param"] == "stream"


def test_a_background_stream_read_to_its_end_has_ended(api: Api) -> None:
    made = api.stream("My name is Ada", background=True)[-1]["response"]
    assert api.http.get(f"{api.url}/responses/{made['id']}").json() == made
    assert "Ada" in text_of(api.create("What is my name?", previous_response_id=made["id"]))


def test_a_resumed_stream_waits_for_the_end_of_the_response(api: Api) -> None:
    api.server.fault({"cut_events": 5})
    body = {"model": MODEL, "input": "Hi", "background": True, "stream": True}
    with pytest.raises(httpx.RemoteProtocolError):
        api.http.post(api.url + "/responses", json=body)
    begun = events_of(api.server.log[-1].sent.decode())
    assert len(begun) == 5
    url = f"{api.url}/responses/{begun[0]['response']['id']}"
    asked = {"stream": "true", "starting_after": begun[-1]["sequence_number"]}
    with api.http.stream("GET", url, params=asked) as reply:
        got = ""
        chunks = reply.iter_text()
        while "event: response.output_item.done" not in got:
            got += next(chunks)
        # All but the terminal event came; now the response ends.
        assert "event: response.completed" not in got
        assert api.server.log[-1].ended == ""
        api.clock.now += 2
        got += "".join(chunks)
    rest = events_of(got)
    for event in rest:
        validate("ResponseStreamEvent", event)
    assert [e["sequence_number"] for e in (*begun, *rest)] == list(range(len(begun) + len(rest)))
    assert rest[-1]["type"] == "response.completed"


def test_cancelling_ends_a_background_stream_without_a_terminal_event(api: Api) -> None:
    body = {"model": "fake-40-100", "input": "Hi", "background": True, "stream": True}
    with api.http.stream("POST", api.url + "/responses", json=body) as reply:
        lines = reply.iter_lines()
        created = json.loads(next(line for line in lines if line.startswith("data: "))[6:])
        response_id = created["response"]["id"]
        cancelled = httpx.post(
            f"{api.url}/responses/{response_id}/cancel", headers={"authorization": "Bearer sandbox"}
        )
        assert cancelled.json()["status"] == "cancelled"
        assert not any("response.completed" in line for line in lines)
    api.clock.now += 100
    assert api.http.get(f"{api.url}/responses/{response_id}").json()["status"] == "cancelled"


def test_a_background_response_can_fail(api: Api) -> None:
    api.server.fault({"failed_deltas": 0})
    made = api.create("Hi", background=True)
    assert made["status"] == "queued" and made["error"] is None
    api.clock.now += 2
    failed = api.http.get(f"{api.url}/responses/{made['id']}").json()
    validate("Response", failed)
    assert failed["status"] == "failed" and failed["error"]["code"] == "server_error"
    api.refused(400, model=MODEL, input="x", previous_response_id=made["id"])
