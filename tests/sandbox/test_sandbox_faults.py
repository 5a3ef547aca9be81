from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest
from support.sandbox_api import MODEL, Api, events_of, text_of


@pytest.fixture
def api(shared_api: Api) -> Api:
    return shared_api


STREAM = {"model": MODEL, "input": "Tell me about glaciers", "stream": True}


def raw_bytes(api: Api, body: dict[str, object]) -> bytes:
    """Everything the connection carries after the request, until the server closes it."""
    url = urlsplit(api.url)
    data = json.dumps(body).encode()
    head = (
        f"POST {url.path}/responses HTTP/1.1\r\nhost: {url.netloc}\r\nauthorization: Bearer sandbox\r\n"
        "connection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=5) as connection:
        connection.sendall(head.encode() + data)
        out = b""
        while got := connection.recv(65536):
            out += got
    return out


def read(api: Api, **body: object) -> str:
    return api.http.post(api.url + "/responses", json={**STREAM, **body}).text


def test_status_with_headers_and_bodies(api: Api) -> None:
    api.server.fault({"status": 429, "headers": {"Retry-After": "2"}})
    api.server.fault({"status": 500, "body": "<html>Bad gateway</html>"})
    api.server.fault({"status": 403, "body": {"Message": "Authentication failed"}})
    throttled = api.post(**STREAM)
    assert throttled.status_code == 429 and throttled.headers["retry-after"] == "2"
    assert throttled.json()["error"]["code"] == "rate_limit_exceeded"
    broken = api.http.post(api.url + "/responses", json=STREAM)
    assert broken.status_code == 500 and broken.headers["content-type"].startswith("text/html")
    assert broken.text == "<html>Bad gateway</html>"
    assert api.http.post(api.url + "/responses", json=STREAM).json() == {"Message": "Authentication failed"}
    assert api.http.post(api.url + "/responses", json=STREAM).status_code == 200


def test_a_fault_of_an_answer_waits_on_where_the_request_is_refused(api: Api) -> None:
    api.server.fault({"no_terminal": True, "times": 2})
    assert api.post(**STREAM, previous_response_id="resp_gone").status_code == 404
    for _ in range(2):
        assert "response.completed" not in read(api)
    assert "response.completed" in read(api)


@pytest.mark.parametrize("count", [1, 700, 1500])
def test_cut_after_bytes(api: Api, count: int) -> None:
    api.server.fault({"cut_bytes": count})
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        read(api)
    record = api.server.log.wait_for(lambda r: r.ended == "cut")
    assert len(record.sent) == count


def test_cut_on_the_wire_leaves_the_chunked_body_open(api: Api) -> None:
    api.server.fault({"cut_events": 6})
    out = raw_bytes(api, STREAM)
    assert b"transfer-encoding: chunked" in out.lower()
    assert out.count(b"event: ") == 6
    assert not out.endswith(b"0\r\n\r\n")


def test_cut_of_a_plain_answer(api: Api) -> None:
    api.server.fault({"cut_bytes": 50})
    with pytest.raises(httpx.RemoteProtocolError):
        api.http.post(api.url + "/responses", json={"model": MODEL, "input": "Hi"})


def test_stall_with_and_without_keepalive(api: Api) -> None:
    api.server.fault({"stall_events": 3, "stall_seconds": 0.1})
    begun = time.monotonic()
    silent = read(api)
    assert time.monotonic() - begun >= 0.1
    assert ": keep-alive" not in silent and events_of(silent)[-1]["type"] == "response.completed"
    api.server.fault({"stall_events": 3, "stall_seconds": 0.1, "keepalive": 0.02})
    lively = read(api)
    assert lively.count(": keep-alive\n\n") >= 4
    assert events_of(lively)[-1]["type"] == "response.completed"


def test_a_stall_without_end_lasts_until_the_client_goes(api: Api) -> None:
    api.server.fault({"stall_events": 3})
    with api.http.stream("POST", api.url + "/responses", json=STREAM) as reply:
        next(reply.iter_raw())
    record = api.server.log.wait_for(lambda r: r.ended == "disconnected", timeout=1)
    assert record.events == 3


def test_wait_before_headers(api: Api) -> None:
    api.server.fault({"wait": 5})
    with (
        pytest.raises(httpx.ReadTimeout),
        httpx.Client(headers=dict(api.http.headers), timeout=0.1) as client,
    ):
        client.post(api.url + "/responses", json=STREAM)
    api.server.log.wait_for(lambda r: r.ended == "disconnected", timeout=1)
    api.server.fault({"wait": 0.05})
    assert read(api)


def test_one_byte_frames_change_nothing(api: Api) -> None:
    plain = events_of(read(api, input="Reply with exactly: größe 日本"))
    api.server.fault({"one_byte": True})
    out = raw_bytes(api, {**STREAM, "input": "Reply with exactly: größe 日本", "metadata": {}})[:4000]
    assert out.partition(b"\r\n\r\n")[2].startswith(b"1\r\ne\r\n1\r\nv\r\n")
    api.server.fault({"one_byte": True})
    slow = events_of(read(api, input="Reply with exactly: größe 日本"))
    assert text_of(slow[-1]["response"]) == text_of(plain[-1]["response"]) == "größe 日本"


def test_malformed_unknown_and_duplicate_events(api: Api) -> None:
    api.server.fault({"malformed_events": 5})
    blocks = read(api).split("\n\n")
    with pytest.raises(json.JSONDecodeError):
        json.loads(blocks[5].partition("data: ")[2])
    api.server.fault({"unknown_events": 5})
    events = events_of(read(api))
    assert events[5]["type"] == "response.sandbox.unheard_of"
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    api.server.fault({"duplicate_events": 6})
    events = events_of(read(api))
    assert events[6] == events[7] and events[6]["type"] == "response.output_text.delta"


@pytest.mark.parametrize("after", [0, 3, -1])
def test_failed_after_deltas(api: Api, after: int) -> None:
    whole = events_of(read(api))
    deltas = sum(e["type"] == "response.output_text.delta" for e in whole)
    api.server.fault({"failed_deltas": after})
    events = api.stream("Tell me about glaciers")
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"]["code"] == "server_error"
    got = sum(e["type"] == "response.output_text.delta" for e in events)
    assert got == (deltas if after < 0 else after)
    failed = events[-1]["response"]["id"]
    assert api.http.get(f"{api.url}/responses/{failed}").status_code == 404


def test_error_events(api: Api) -> None:
    api.server.fault({"error_deltas": 2})
    events = api.stream("Tell me about glaciers")
    assert events[-1]["type"] == "error" and events[-1]["code"] == "server_error"
    assert sum(e["type"] == "response.output_text.delta" for e in events) == 2
    api.server.fault({"error_deltas": 2, "error_body": True})
    last = read(api).strip().split("\n\n")[-1]
    assert last.startswith("event: error\n")
    assert json.loads(last.partition("data: ")[2])["error"]["message"]


def test_missing_terminal_empty_output_and_no_usage(api: Api) -> None:
    api.server.fault({"no_terminal": True})
    assert events_of(read(api))[-1]["type"] == "response.output_item.done"
    api.server.fault({"empty": True})
    events = api.stream("Tell me about glaciers")
    assert [e["type"] for e in events] == ["response.created", "response.in_progress", "response.completed"]
    assert events[-1]["response"]["output"] == [] and events[-1]["response"]["usage"]["output_tokens"] == 0
    api.server.fault({"no_usage": True})
    assert events_of(read(api))[-1]["response"]["usage"] is None


def test_asked_for_by_the_request_and_over_http(api: Api) -> None:
    own = {"metadata": {"sandbox_fault": json.dumps({"status": 503})}}
    assert api.post(**STREAM, **own).status_code == 503
    assert api.post(**STREAM).status_code == 200
    control = api.url.removesuffix("/openai/v1") + "/sandbox/faults"
    assert (
        api.http.post(
            control, json=[{"status": 502, "times": 2}, {"status": 504, "on": "delete"}]
        ).status_code
        == 200
    )
    assert [api.post(**STREAM).status_code for _ in range(3)] == [502, 502, 200]
    assert api.http.delete(api.url + "/responses/resp_x").status_code == 504


@pytest.mark.parametrize(
    "fault",
    [
        {"nope": 1},
        {"status": "500"},
        {"one_byte": 1},
        {"cut_bytes": True},
        {"on": "nowhere"},
        {"headers": "x"},
    ],
)
def test_a_fault_with_a_mistake_is_refused(api: Api, fault: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="fault"):
        api.server.fault(fault)
    assert api.refused(400, **STREAM, metadata={"sandbox_fault": json.dumps(fault)})["param"] == "metadata"
    assert api.refused(400, **STREAM, metadata={"sandbox_fault": "["})["param"] == "metadata"
