"""Sample values for tests of widgets: exchanges, events, and an app that shows one widget in a real theme."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.widget import Widget

from tui.core.exchange import Chunk, Exchange, SseRecord, Timings
from tui.core.items import Outcome
from tui.themes import load_theme, own_folder

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
DATA_URL = "data:application/pdf;base64," + base64.b64encode(PDF).decode()
RESPONSE_ID = "resp_" + "a" * 52
TOKEN_MASK = "Bearer ‹masked›"


class OneWidget(App[None]):
    """An app with one widget, in one of Outcrop's own themes."""

    def __init__(self, widget: Widget | None = None, *, theme: str = "outcrop-dark") -> None:
        super().__init__()
        self.widget = widget
        self.theme_name = theme
        self.copied = ""

    def compose(self) -> ComposeResult:
        if self.widget is not None:
            yield self.widget

    def on_mount(self) -> None:
        theme = load_theme(self.theme_name, own_folder())
        assert theme is not None
        self.register_theme(theme)
        self.theme = theme.name

    def copy_to_clipboard(self, text: str, what: str = "") -> None:
        self.copied = text
        super().copy_to_clipboard(text)


def text_of(app: App[Any]) -> str:
    """What is on screen, as text."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line)[:width] for line in lines[:height])


def picture(app: App[Any], folder: Path, name: str) -> Path:
    """The screen as an SVG file."""
    return Path(app.save_screenshot(filename=name, path=str(folder)))


def event(kind: str, offset: float, start: int, **fields: Any) -> SseRecord:
    data = json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":"))
    return SseRecord(offset, kind, data, start, start + len(data) + 16 + len(kind))


def stream_events(deltas: list[str], usage: dict[str, Any] | None = None) -> list[SseRecord]:
    """A stream as the server sends it: created, an item, its deltas, completed."""
    events: list[SseRecord] = []
    place = 0

    def add(kind: str, offset: float, **fields: Any) -> None:
        nonlocal place
        record = event(kind, offset, place, sequence_number=len(events), **fields)
        events.append(record)
        place = record.end

    add("response.created", 0.412, response={"id": RESPONSE_ID, "status": "in_progress", "usage": None})
    add("response.in_progress", 0.413, response={"id": RESPONSE_ID, "status": "in_progress", "usage": None})
    item = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
    add("response.output_item.added", 0.45, output_index=0, item=item)
    for number, delta in enumerate(deltas):
        add("response.output_text.delta", 0.5 + number * 0.031, item_id="msg_1", output_index=0, delta=delta)
    text = "".join(deltas)
    end = 0.5 + len(deltas) * 0.031
    done = {**item, "content": [{"type": "output_text", "text": text, "annotations": []}]}
    add("response.output_item.done", end, output_index=0, item=done)
    final = {
        "id": RESPONSE_ID,
        "object": "response",
        "status": "completed",
        "model": "openai.gpt-5.4",
        "output": [done],
        "usage": usage or {"input_tokens": 12_004, "output_tokens": 310, "total_tokens": 12_314},
    }
    add("response.completed", end + 1.3, response=final)
    return events


def request_body(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": "openai.gpt-5.4",
        "previous_response_id": RESPONSE_ID,
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_file", "filename": "report.pdf", "file_data": DATA_URL},
                    {"type": "input_text", "text": "What does page 2 say about revenue?"},
                ],
            },
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "g" * 1_840},
            {"role": "assistant", "content": "Revenue rose by 12 % to 4.1 million."},
            {"role": "user", "content": "And page 3?"},
        ],
        "max_output_tokens": 16_384,
        "reasoning": {"effort": "low"},
        "include": ["reasoning.encrypted_content"],
        "store": True,
        "stream": True,
    }
    return {**body, **changes}


def exchange(
    number: int = 1,
    attempt: int = 1,
    *,
    body: bytes | None = None,
    status: int | None = 200,
    outcome: Outcome | None = Outcome.COMPLETED,
    events: list[SseRecord] | None = None,
    answer: bytes = b"",
    error: str | None = None,
) -> Exchange:
    """An exchange as the recorder leaves it."""
    sent = json.dumps(request_body(), separators=(",", ":")).encode() if body is None else body
    records = [] if events is None else events
    kind = "text/event-stream" if records else "application/json"
    return Exchange(
        id=f"ex-{number}-{attempt}",
        number=number,
        attempt=attempt,
        conversation_id="c1",
        turn_id=f"t{number}",
        method="POST",
        url="https://bedrock-mantle.us-west-2.api.aws/openai/v1/responses",
        request_headers=(
            ("Authorization", TOKEN_MASK),
            ("Content-Type", "application/json"),
            ("User-Agent", "Outcrop/0.1"),
            ("Content-Length", str(len(sent))),
        ),
        request_body=sent,
        started_at=1_790_000_000.0,
        status=status,
        http_version="HTTP/1.1",
        response_headers=()
        if status is None
        else (
            ("content-type", kind),
            ("x-request-id", "req_" + "b" * 20),
            ("date", "Sun, 22 Nov 2026 02:00:00 GMT"),
        ),
        chunks=[Chunk(0.4, answer)]
        if answer
        else [
            Chunk(record.offset, f"event: {record.type}\ndata: {record.data}\n\n".encode())
            for record in records
        ],
        events=records,
        timings=Timings(0.05, 0.06, 0.4, 0.41, 0.5, None if outcome is None else 3.12),
        outcome=outcome,
        error=error,
        usage_line="12,004 → 310" if records else "",
        model="openai.gpt-5.4",
    )


THROTTLED = (
    b'{"error":{"code":"throttling_exception","message":"Too many tokens, wait.","type":"rate_limit"}}'
)


def sample_exchanges() -> list[Exchange]:
    """Five: a good one, a 429 and its second attempt, a cut stream, one that runs."""
    words = ["Revenue ", "rose ", "by **12 %**", "\n\n| a | b |\n", "to 4.1 million."] * 12
    return [
        exchange(1, events=stream_events(words)),
        exchange(
            2, status=429, outcome=Outcome.FAILED, answer=THROTTLED, error="HTTP 429: Too many tokens, wait."
        ),
        exchange(2, 2, events=stream_events(words[:5])),
        exchange(3, outcome=Outcome.FAILED, events=stream_events(words)[:9], error="The stream was cut."),
        exchange(4, outcome=None, events=stream_events(words)[:6]),
    ]
