"""Exchanges for tests: some that were recorded over real HTTP, and some that are made up."""

from __future__ import annotations

import json
from typing import Any

from tui.core.exchange import Chunk, Exchange, SseRecord, Timings
from tui.core.items import Outcome

__all__ = ["URL", "created", "made_up"]

URL = "https://bedrock-mantle.us-west-2.api.aws/openai/v1/responses"


def made_up(
    body: Any = None, *, number: int = 1, url: str = URL, method: str = "POST", **more: Any
) -> Exchange:
    """An exchange that never happened; `body` is written as the program writes it, unless it is bytes."""
    raw = body if isinstance(body, bytes) else b"" if body is None else _compact(body)
    headers = (
        ("Host", "bedrock-mantle.us-west-2.api.aws"),
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
        ("User-Agent", "x/1"),
        ("X-Stainless-Lang", "python"),
        ("Authorization", "Bearer [token]"),
        ("Content-Length", str(len(raw))),
    )
    values: dict[str, Any] = {
        "id": f"exchange{number:04}", "number": number, "attempt": 1, "conversation_id": "c", "turn_id": "",
        "method": method, "url": url, "request_headers": headers, "request_body": raw,
        "started_at": 1_800_000_000.0 + 60 * number,
    }  # fmt: skip
    return Exchange(**{**values, **more})


def created(
    body: Any, *, number: int = 1, answer: str = "Hello.", usage: dict[str, Any] | None = None, **more: Any
) -> Exchange:
    """A made-up request for a response that was answered with a stream; its id is `resp_NUMBER`."""
    output = [
        {"id": f"rs_{number}", "type": "reasoning", "summary": [], "encrypted_content": f"sealed {number}"},
        {
            "id": f"msg_{number}", "type": "message", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": answer, "annotations": []}],
        },
    ]  # fmt: skip
    response = {"id": f"resp_{number}", "status": "completed", "output": output, "usage": usage}
    events: list[SseRecord] = []
    data = b""
    for offset, event in (
        (0.3, {"type": "response.created", "response": {"id": f"resp_{number}", "status": "in_progress"}}),
        (0.4, {"type": "response.output_item.added", "output_index": 0, "item": output[0]}),
        (0.9, {"type": "response.output_item.done", "output_index": 0, "item": output[0]}),
        (0.9, {"type": "response.output_item.added", "output_index": 1, "item": output[1]}),
        (1.0, {"type": "response.output_text.delta", "output_index": 1, "delta": answer}),
        (1.5, {"type": "response.output_item.done", "output_index": 1, "item": output[1]}),
        (1.6, {"type": "response.completed", "response": response}),
    ):
        raw = b"event: %s\ndata: %s\n\n" % (event["type"].encode(), _compact(event))
        events.append(
            SseRecord(offset, event["type"], _compact(event).decode(), len(data), len(data) + len(raw))
        )
        data += raw
    values: dict[str, Any] = {
        "status": 200, "http_version": "HTTP/1.1", "outcome": Outcome.COMPLETED, "model": body["model"],
        "response_headers": (("content-type", "text/event-stream"), ("x-request-id", f"req_{number}")),
        "chunks": [Chunk(0.3, data[:100]), Chunk(1.6, data[100:])], "events": events,
        "timings": Timings(0.1, 0.21, 0.25, 0.3, 1.0, 1.7, secured=0.2),
    }  # fmt: skip
    return made_up(body, number=number, **{**values, **more})


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
