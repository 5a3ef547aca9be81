from __future__ import annotations

import json

import httpx
import pytest
from support.sandbox_api import MODEL, Api, Json, file_part, text_of


def control(api: Api, path: str) -> str:
    return api.url.removesuffix("/openai/v1") + "/sandbox" + path


def user(text: str) -> Json:
    return {"role": "user", "content": text}


def test_faults_are_queued_and_cleared_over_http(api: Api) -> None:
    reply = api.http.post(control(api, "/faults"), json=[{"status": 503}, {"status": 504, "on": "delete"}])
    assert reply.json() == {"object": "sandbox.faults", "waiting": 2}
    assert api.post(model=MODEL, input="x").status_code == 503
    assert api.http.delete(control(api, "/faults")).json()["waiting"] == 0
    assert api.http.delete(api.url + "/responses/resp_x").status_code == 404


def test_a_list_with_a_mistake_queues_nothing(api: Api) -> None:
    reply = api.http.post(control(api, "/faults"), json=[{"status": 503}, {"nope": 1}])
    assert reply.status_code == 400 and "cut_bytes" in reply.json()["error"]["message"]
    assert api.post(model=MODEL, input="x").status_code == 200


def test_the_log_tells_what_was_served_without_the_key(api: Api) -> None:
    reply = api.post(model=MODEL, input="Hi", stream=True)
    api.http.get(f"{api.url}/responses/resp_x?stream=true")
    read = api.http.get(control(api, "/log"))
    first, second = read.json()["data"]
    assert first["body"] == {"model": MODEL, "input": "Hi", "stream": True}
    assert (first["status"], first["ended"], first["last_event"]) == (200, "finished", "response.completed")
    assert first["sent_bytes"] == len(reply.content)
    assert first["request_id"] == reply.headers["x-request-id"]
    assert (second["status"], second["query"], second["body"]) == (404, "stream=true", None)
    assert "authorization" not in read.text.lower() and "bearer" not in read.text.lower()
    # Reading the log is not in the log.
    assert len(api.server.log) == 2
    api.http.delete(control(api, "/log"))
    assert api.http.get(control(api, "/log")).json()["data"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/faults"), ("DELETE", "/faults"), ("GET", "/log"), ("DELETE", "/log"), ("GET", "/context")],
)
def test_control_needs_the_key(api: Api, method: str, path: str) -> None:
    assert httpx.request(method, control(api, path)).status_code == 401


def test_context_is_the_list_of_items_the_server_saw(api: Api, pdf_bytes: bytes) -> None:
    with pytest.raises(LookupError):
        api.server.last_context()
    part = {"role": "user", "content": [file_part(pdf_bytes), {"type": "input_text", "text": "Read this"}]}
    first = api.create([part], reasoning={"effort": "low"})
    second = api.create("And now?", previous_response_id=first["id"])
    expected = [part, *first["output"], user("And now?")]
    assert api.server.last_context() == api.server.context_of(second["id"]) == expected
    assert api.server.context_of(first["id"]) == [part]
    replayed = api.create([*expected, *second["output"], user("End")], store=False)
    assert api.server.last_context() == [*expected, *second["output"], user("End")]
    third = api.create("End", previous_response_id=second["id"])
    assert api.server.last_context() == [*expected, *second["output"], user("End")]
    assert text_of(third) == text_of(replayed)
    with pytest.raises(LookupError):
        api.server.context_of(replayed["id"])


def test_both_modes_with_a_switch_give_the_server_the_same_items(api: Api) -> None:
    local: list[Json] = []
    previous: str | None = None
    for number, stateful in enumerate([True, True, False, True, False, False, True]):
        local.append(user(f"Turn {number}"))
        if stateful and previous is not None:
            made = api.create(local[-1:], previous_response_id=previous)
        else:
            made = api.create(local, store=stateful)
        assert api.server.last_context() == local
        local = [*local, *made["output"]]
        previous = made["id"] if stateful else None


def test_references_are_seen_as_what_they_stand_for(api: Api) -> None:
    first = api.create("One")
    reference = {"type": "item_reference", "id": first["output"][0]["id"]}
    api.create([user("One"), reference, user("Two")])
    assert api.server.last_context() == [user("One"), first["output"][0], user("Two")]


def test_what_was_refused_was_not_seen(api: Api) -> None:
    api.create("One")
    api.refused(400, model=MODEL, input="Two", service_tier="flex")
    api.server.fault({"status": 500})
    assert api.post(model=MODEL, input="Three").status_code == 500
    assert api.server.last_context() == [user("One")]


def test_a_streamed_and_cut_request_was_seen(api: Api) -> None:
    api.server.fault({"cut_bytes": 10})
    with pytest.raises(httpx.RemoteProtocolError):
        api.http.post(api.url + "/responses", json={"model": MODEL, "input": "Cut", "stream": True})
    assert api.server.last_context() == [user("Cut")]


def test_a_broken_chain_has_no_context(api: Api) -> None:
    first = api.create("One")
    second = api.create("Two", previous_response_id=first["id"])
    api.http.delete(f"{api.url}/responses/{first['id']}")
    with pytest.raises(LookupError, match=first["id"]):
        api.server.context_of(second["id"])


def test_context_over_http(api: Api) -> None:
    assert api.http.get(control(api, "/context")).status_code == 404
    made = api.create("One")
    for path in ("/context", f"/context/{made['id']}"):
        assert api.http.get(control(api, path)).json()["data"] == [user("One")]
    assert api.http.get(control(api, "/context/resp_x")).status_code == 404


def test_metadata_fault_comes_before_those_that_wait(api: Api) -> None:
    api.server.fault({"status": 502})
    own = {"sandbox_fault": json.dumps({"status": 503})}
    assert api.post(model=MODEL, input="x", metadata=own).status_code == 503
    assert api.post(model=MODEL, input="x").status_code == 502
