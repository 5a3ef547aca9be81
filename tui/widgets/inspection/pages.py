"""What stands above the bodies in the tabs Request, Stream and Response, and what copying them gives."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from tui.core import figures
from tui.core.answer import assembled_object, final_object
from tui.core.exchange import UNPACKED_HEADER, Exchange, Headers, SseRecord
from tui.core.items import Outcome
from tui.core.text import visible, visible_line
from tui.widgets.rows import Mark, Row, row

__all__ = [
    "OUTCOME_MARKS",
    "body_title",
    "decoded",
    "event_head",
    "headers_text",
    "request_head",
    "response_body",
    "response_head",
    "response_text",
]

OUTCOME_MARKS: Final[dict[Outcome | None, tuple[str, str, Mark]]] = {
    None: ("◌", "running", "accent"),
    Outcome.COMPLETED: ("✓", "completed", "success"),
    Outcome.INCOMPLETE: ("◐", "incomplete", "warning"),
    Outcome.FAILED: ("✗", "failed", "error"),
    Outcome.CANCELLED: ("■", "cancelled", "warning"),
}

_RESPONSE_ID: Final = re.compile(r'"id"\s*:\s*"(resp_[^"]{1,200})"')


def decoded(body: bytes) -> str:
    r"""A body as text; bytes that are no UTF-8 show as `\xNN`."""
    return body.decode("utf-8", "backslashreplace")


def headers_text(headers: Headers) -> str:
    """Headers as they stand on the wire, secrets masked at capture."""
    return "\n".join(f"{name}: {value}" for name, value in headers)


def request_head(exchange: Exchange) -> list[Row]:
    """The request's start line and headers, as they were sent."""
    parts = urlsplit(exchange.url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    version = exchange.http_version or "HTTP/1.1"
    return [
        row((exchange.method, "accent"), f" {target} ", (version, "dim"), hang=2),
        *_header_rows(exchange.request_headers),
        Row(""),
    ]


def body_title(octets: int, *, raw: bool, nothing: str = "No body.") -> Row:
    """The line above a body."""
    if not octets:
        return row((nothing, "dim"))
    size = f"  {octets:,} bytes" if octets < 1000 else f"  {figures.size(octets)}, {octets:,} bytes"
    return row(("Body, as it was sent" if raw else "Body", "heading"), (size, "dim"))


def response_head(exchange: Exchange) -> list[Row]:
    """Status, headers, the ids of the request and of the response, the error in a sentence."""
    if exchange.status is None:
        return [*_error_rows(exchange), *_waiting(exchange)]
    mark: Mark = "success" if exchange.status < 400 else "error"
    return [
        row(
            (exchange.http_version or "HTTP", "dim"),
            " ",
            (f"{exchange.status} {_phrase(exchange.status)}", mark),
        ),
        *_header_rows(exchange.response_headers),
        *_packed(exchange),
        Row(""),
        row(("request id   ", "key"), exchange.request_id or "the server gave none"),
        *_response_id(exchange),
        *_error_rows(exchange),
        Row(""),
    ]


def response_body(exchange: Exchange) -> tuple[Row, str]:
    """A title and the final object of a stream, or the body as it came; the text is empty where none is.

    Off the event loop: over other APIs than Responses the object is put together from the whole stream.
    """
    final = final_object(exchange.events)
    if final is not None:
        return row(("The final response object", "heading")), final
    if (made := assembled_object(exchange)) is not None:
        words = f"  put together from {len(exchange.events):,} events, in the form of the Responses API"
        return row(("The answer", "heading"), (words, "dim"), hang=2), made
    if not exchange.events:
        body = exchange.response_body
        nothing = "No body yet." if exchange.outcome is None else "No body."
        return body_title(len(body), raw=False, nothing=nothing), decoded(body)
    if exchange.outcome is None:
        return row((f"Streaming: {len(exchange.events):,} events so far.", "dim")), ""
    came = f"{len(exchange.events):,} events came."
    return row((f"The stream ended without a final object; {came}", "warning")), ""


def _response_id(exchange: Exchange) -> list[Row]:
    """The response's own id: in a stream its first events have it, whatever became of it later."""
    texts = [record.data for record in exchange.events[:2]] or [decoded(exchange.response_body[:4000])]
    found = next((match for text in texts if (match := _RESPONSE_ID.search(text))), None)
    return [row(("response id  ", "key"), found[1])] if found else []


def response_text(exchange: Exchange) -> str:
    """What copying the response gives: the final object of a stream, else the body as it came."""
    final = final_object(exchange.events) or assembled_object(exchange)
    return decoded(exchange.response_body) if final is None else final


def event_head(record: SseRecord, number: int) -> Row:
    """The line above an event, which is counted from 1."""
    return row(
        (f"Event {number:,}  ", "heading"),
        (record.type or "no type", "accent"),
        (f"  bytes {record.start:,} to {record.end:,}", "dim"),
        hang=2,
    )


def _header_rows(headers: Headers) -> list[Row]:
    return [row((name, "key"), (": ", "dim"), value, hang=4) for name, value in headers]


def _error_rows(exchange: Exchange) -> list[Row]:
    if exchange.error is None:
        return []
    return [row((line, "error"), hang=2) for line in visible(exchange.error).split("\n")]


def _packed(exchange: Exchange) -> list[Row]:
    packed = next((value for name, value in exchange.response_headers if name == UNPACKED_HEADER), "")
    if not packed:
        return []
    said = f"The body came packed ({visible_line(packed)}), unasked, and was unpacked before it was recorded."
    return [row((said, "warning"), hang=2)]


def _waiting(exchange: Exchange) -> list[Row]:
    return [row(("No response yet." if exchange.outcome is None else "No response came.", "dim"))]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
