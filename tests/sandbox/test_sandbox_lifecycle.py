from __future__ import annotations

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
