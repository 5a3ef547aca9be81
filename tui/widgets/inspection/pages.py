"""What the tabs Request, Response and Events say, as rows; and what copying them gives."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from tui.core import figures
from tui.core.answer import final_object
from tui.core.exchange import Exchange, Headers, SseRecord
from tui.core.items import Outcome
from tui.core.text import visible
from tui.widgets.inspection.json_rows import json_rows, text_rows
from tui.widgets.rows import Mark, Row, row

__all__ = [
    "OUTCOME_MARKS",
    "decoded",
    "event_rows",
    "headers_text",
    "request_rows",
    "response_rows",
    "response_text",
]

OUTCOME_MARKS: Final[dict[Outcome | None, tuple[str, str, Mark]]] = {
    None: ("◌", "running", "accent"),
    Outcome.COMPLETED: ("✓", "completed", "success"),
    Outcome.INCOMPLETE: ("◐", "incomplete", "warning"),
    Outcome.FAILED: ("✗", "failed", "error"),
    Outcome.CANCELLED: ("■", "cancelled", "warning"),
}


def decoded(body: bytes) -> str:
    r"""A body as text; bytes that are no UTF-8 show as `\xNN`."""
    return body.decode("utf-8", "backslashreplace")


def headers_text(headers: Headers) -> str:
    """Headers as they stand on the wire, secrets masked at capture."""
    return "\n".join(f"{name}: {value}" for name, value in headers)


def request_rows(exchange: Exchange, *, raw: bool, limit: int) -> list[Row]:
    """The request: start line, headers, body."""
    parts = urlsplit(exchange.url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    version = exchange.http_version or "HTTP/1.1"
    rows = [
        row((exchange.method, "accent"), f" {target} ", (version, "dim"), hang=2),
        *_header_rows(exchange.request_headers),
        Row(""),
    ]
    return rows + _body_rows(exchange.request_body, raw=raw, limit=limit, nothing="No body.")


def response_rows(exchange: Exchange, *, raw: bool, limit: int) -> list[Row]:
    """The response: status, headers, request id, then the final object or the body as it came."""
    if exchange.status is None:
        return [*_error_rows(exchange), *_waiting(exchange)]
    mark: Mark = "success" if exchange.status < 400 else "error"
    rows = [
        row(
            (exchange.http_version or "HTTP", "dim"),
            " ",
            (f"{exchange.status} {_phrase(exchange.status)}", mark),
        ),
        *_header_rows(exchange.response_headers),
        Row(""),
        row(("request id  ", "key"), exchange.request_id or "the server gave none"),
        *_error_rows(exchange),
        Row(""),
    ]
    if raw:
        return rows + _body_rows(exchange.response_body, raw=True, limit=limit, nothing="No body.")
    if not exchange.events:
        return rows + _body_rows(exchange.response_body, raw=False, limit=limit, nothing="No body yet.")
    final = final_object(exchange.events)
    if final is not None:
        return [*rows, row(("The final response object", "heading")), *json_rows(final, limit)]
    if exchange.outcome is None:
        return [*rows, row((f"Streaming: {len(exchange.events):,} events so far.", "dim"))]
    return [
        *rows,
        row((f"The stream ended without a final object; {len(exchange.events):,} events came.", "warning")),
    ]


def response_text(exchange: Exchange) -> str:
    """What copying the response gives: the final object of a stream, else the body as it came."""
    final = final_object(exchange.events)
    return decoded(exchange.response_body) if final is None else final


def event_rows(record: SseRecord, number: int, *, raw: bytes | None, limit: int) -> list[Row]:
    """One event in full.

    Args:
        record: The event.
        number: Counted from 1.
        raw: Its bytes in the body, to show these instead; `None` shows the data as JSON.
        limit: As in `json_rows`.
    """
    head = row(
        (f"Event {number:,}  ", "heading"),
        (record.type or "no type", "accent"),
        (f"  bytes {record.start:,} to {record.end:,}", "dim"),
        hang=2,
    )
    return [head, *(text_rows(decoded(raw)) if raw is not None else json_rows(record.data, limit))]


def _header_rows(headers: Headers) -> list[Row]:
    return [row((name, "key"), (": ", "dim"), value, hang=4) for name, value in headers]


def _error_rows(exchange: Exchange) -> list[Row]:
    if exchange.error is None:
        return []
    return [row((line, "error"), hang=2) for line in visible(exchange.error).split("\n")]


def _waiting(exchange: Exchange) -> list[Row]:
    return [row(("No response yet." if exchange.outcome is None else "No response came.", "dim"))]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _body_rows(body: bytes, *, raw: bool, limit: int, nothing: str) -> list[Row]:
    if not body:
        return [row((nothing, "dim"))]
    size = f"  {figures.size(len(body))}, {len(body):,} bytes"
    if raw:
        return [row(("Body, as it was sent", "heading"), (size, "dim")), *text_rows(decoded(body))]
    return [row(("Body", "heading"), (size, "dim")), *json_rows(decoded(body), limit)]
