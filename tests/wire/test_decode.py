from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.errors import StreamError
from tui.core.events import (
    ArgumentsDelta,
    OutputItemAdded,
    OutputItemDone,
    ReasoningDelta,
    ResponseEnded,
    ResponseStarted,
    ServerError,
    TextDelta,
    Unknown,
)
from tui.wire.decode import decode
from tui.wire.sse import SseEvent


def read(body: Any, event: str = "") -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode(SseEvent(event, data, 0, len(data)))[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"type": "response.output_text.delta", "output_index": 1, "item_id": "m", "delta": "x"},
            TextDelta(1, "m", "x"),
        ),
        (
            {"type": "response.refusal.delta", "output_index": 0, "item_id": "m", "delta": "no"},
            TextDelta(0, "m", "no", refusal=True),
        ),
        (
            {
                "type": "response.reasoning_summary_text.delta",
                "item_id": "r",
                "summary_index": 2,
                "delta": "h",
            },
            ReasoningDelta(0, "r", 2, "h"),
        ),
        (
            {"type": "response.reasoning_text.delta", "item_id": "r", "content_index": 1, "delta": "h"},
            ReasoningDelta(0, "r", 1, "h"),
        ),
        (
            {"type": "response.function_call_arguments.delta", "item_id": "f", "delta": "{"},
            ArgumentsDelta(0, "f", "{"),
        ),
        (
            {"type": "response.output_item.added", "output_index": 3, "item": {"id": "i", "type": "message"}},
            OutputItemAdded(3, "i", "message"),
        ),
        ({"type": "response.audio.delta", "delta": "AAAA"}, Unknown("response.audio.delta")),
        ({"type": "error", "code": "c", "message": "m"}, ServerError("c", "m")),
        ({"type": "error", "error": {"code": "c", "message": "m"}}, ServerError("c", "m")),
        ({"error": "bare"}, ServerError("", "bare")),
        ({"error": {"type": "server_error", "Message": "Capital"}}, ServerError("server_error", "Capital")),
    ],
)
def test_each_event_is_read_by_its_type(body: dict[str, Any], expected: object) -> None:
    assert read(body) == expected


def test_an_item_keeps_its_keys_in_order_and_its_nulls() -> None:
    item = {"z": None, "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ü=="}
    done = read({"type": "response.output_item.done", "output_index": 0, "item": item})
    assert isinstance(done, OutputItemDone)
    assert (
        done.item.text == '{"z":null,"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"ü=="}'
    )


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed"])
def test_terminal_events(status: str) -> None:
    ended = read({"type": f"response.{status}", "response": {"id": "resp_1", "status": status}})
    assert ended == ResponseEnded(status, {"id": "resp_1", "status": status})


def test_a_head_event_gives_the_response_id() -> None:
    started = read({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}})
    assert isinstance(started, ResponseStarted)
    assert started.response_id == "resp_1"


def test_an_error_named_only_by_its_event_line() -> None:
    assert read({"message": "broke"}, event="error") == ServerError("", "broke")


@pytest.mark.parametrize("data", [b"{", b"[1]", b"3", b"\xff\xfe", b'"text"', b""])
def test_what_is_no_json_object_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(StreamError, match="The server sent an event that is not"):
        read(data)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    ),
    st.sampled_from(
        ["response.completed", "response.output_text.delta", "response.output_item.done", "error", "x"]
    ),
)
def test_fields_of_any_shape_never_raise_anything_else(value: object, kind: str) -> None:
    body = {
        "type": kind,
        "response": value,
        "item": value,
        "delta": value,
        "output_index": value,
        "error": value,
    }
    read(body)
