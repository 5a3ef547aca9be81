"""Driving a sandbox in tests: a client that checks what comes back, and small PDFs."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import httpx
from support.openai_schemas import validate

from tui.sandbox.server import SandboxServer

MODEL = "openai.gpt-5.4"
Json = dict[str, Any]


class Clock:
    """Seconds since the epoch, moved by the test."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def events_of(text: str) -> list[Json]:
    """The events of a stream, written from the specification: blocks of `field: value` lines."""
    found: list[Json] = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if fields:
            event = json.loads(fields["data"])
            assert fields["event"] == event["type"]
            found.append(event)
    return found


@dataclass
class Api:
    """A client of one server; everything that comes back is checked against the schemas."""

    server: SandboxServer
    url: str
    clock: Clock
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(
            headers={"authorization": "Bearer sandbox"}, verify=False, timeout=30
        )
    )

    def post(self, path: str = "/responses", **body: Any) -> httpx.Response:
        reply = self.http.post(self.url + path, json=body)
        if reply.status_code == 200 and path.startswith("/responses"):
            if reply.headers["content-type"].startswith("text/event-stream"):
                for event in events_of(reply.text):
                    validate("ResponseStreamEvent", event)
            else:
                validate("Response", reply.json())
        elif reply.status_code >= 400:
            validate("ErrorResponse", reply.json())
        return reply

    def create(self, prompt: Any, **body: Any) -> Json:
        reply = self.post(**{"model": MODEL, "input": prompt, **body})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def stream(self, prompt: Any, **body: Any) -> list[Json]:
        reply = self.post(**{"model": MODEL, "input": prompt, "stream": True, **body})
        assert reply.status_code == 200, reply.text
        return events_of(reply.text)

    def refused(self, status: int, **body: Any) -> Json:
        reply = self.post(**body)
        assert reply.status_code == status, reply.text
        return reply.json()["error"]


def text_of(response: Json) -> str:
    return "".join(
        p.get("text", "") for item in response["output"] if item["type"] == "message" for p in item["content"]
    )


def make_pdf(*pages: list[str]) -> bytes:
    from reportlab.pdfgen import canvas

    buffer = io.BytesIO()
    document = canvas.Canvas(buffer)
    for lines in pages:
        for number, line in enumerate(lines):
            document.drawString(72, 760 - 18 * number, line)
        document.showPage()
    document.save()
    return buffer.getvalue()


def file_part(data: bytes, name: str = "survey.pdf") -> Json:
    url = "data:application/pdf;base64," + b64encode(data).decode()
    return {"type": "input_file", "filename": name, "file_data": url}
