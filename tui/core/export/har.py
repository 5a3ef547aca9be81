"""Exchanges as an HTTP archive, HAR 1.2 (softwareishard.com/blog/har-12-spec).

What HAR has no place for stands in members that begin with an underscore, as it asks for: the outcome, the
attempt, and the server-sent events with their times, as browsers write these.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tui.core.exchange import Exchange, Headers
from tui.core.export.plain import shown_headers
from tui.core.export.request import Export

__all__ = ["as_har"]

_UNKNOWN = -1


def as_har(exchanges: Sequence[Exchange], version: str) -> Export:
    """An archive of one exchange or of many, oldest first; it holds every byte of the bodies.

    Args:
        exchanges: What to put in.
        version: Of this program.
    """
    rows = sorted(exchanges, key=lambda exchange: (exchange.started_at, exchange.number))
    log = {
        "version": "1.2",
        "creator": {"name": "Outcrop", "version": version},
        "pages": [],
        "entries": [_entry(exchange) for exchange in rows],
    }
    text = json.dumps({"log": log}, ensure_ascii=False, indent=1)
    return Export(text.encode("utf-8", "replace"), "har")


def _entry(exchange: Exchange) -> dict[str, Any]:
    timings = _timings(exchange)
    total = sum(value for name, value in timings.items() if name != "ssl" and value >= 0)
    entry: dict[str, Any] = {
        "startedDateTime": _moment(exchange.started_at),
        "time": round(total, 3),
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": timings,
        "_id": exchange.id,
        "_number": exchange.number,
        "_attempt": exchange.attempt,
        "_outcome": None if exchange.outcome is None else exchange.outcome.value,
    }
    if exchange.events:
        entry["_eventSourceMessages"] = [
            {
                "time": exchange.started_at + event.offset,
                "eventName": event.type,
                "eventId": "",
                "data": event.data,
            }
            for event in exchange.events
        ]
    if exchange.error:
        entry["comment"] = exchange.error
    return entry


def _request(exchange: Exchange) -> dict[str, Any]:
    version = exchange.http_version or "HTTP/1.1"
    request: dict[str, Any] = {
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": version,
        "cookies": [],
        "headers": _pairs(tuple(shown_headers(exchange))),
        "queryString": _pairs(tuple(parse_qsl(urlsplit(exchange.url).query, keep_blank_values=True))),
        "headersSize": _UNKNOWN,
        "bodySize": len(exchange.sent),
    }
    if exchange.sent:
        media_type = _header(exchange.request_headers, "content-type") or "application/octet-stream"
        text, encoding = _text(exchange.request_body)
        request["postData"] = {"mimeType": media_type, "params": [], "text": text}
        if encoding:
            # HAR has an encoding for answers only.
            request["postData"] |= {"_encoding": encoding, "comment": f"the text is {encoding}"}
    return request


def _response(exchange: Exchange) -> dict[str, Any]:
    body = exchange.response_body
    content: dict[str, Any] = {
        "size": len(body),
        "mimeType": _header(exchange.response_headers, "content-type") or "x-unknown",
    }
    if body:
        content["text"], encoding = _text(body)
        if encoding:
            content["encoding"] = encoding
    response: dict[str, Any] = {
        "status": exchange.status or 0,
        "statusText": _phrase(exchange.status),
        "httpVersion": exchange.http_version or "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(exchange.response_headers),
        "content": content,
        "redirectURL": _header(exchange.response_headers, "location"),
        "headersSize": _UNKNOWN,
        "bodySize": len(body) if exchange.status is not None else _UNKNOWN,
    }
    if exchange.error:
        response["_error"] = exchange.error
    return response


def _timings(exchange: Exchange) -> dict[str, float]:
    """Milliseconds of each phase; -1 for one that did not apply. `connect` includes `ssl`, as HAR has it."""
    t = exchange.timings
    ended = t.ended if t.ended is not None else max([0.0, *(chunk.offset for chunk in exchange.chunks[-1:])])
    secured = t.secured if t.secured is not None else t.connected
    opened = secured or 0.0
    sent = t.request_sent if t.request_sent is not None else opened
    answered = t.headers if t.headers is not None else ended
    return {
        "blocked": _UNKNOWN,
        "dns": _UNKNOWN,
        "connect": _UNKNOWN if secured is None else _milliseconds(opened),
        "ssl": _UNKNOWN if t.secured is None else _milliseconds(t.secured - (t.connected or 0.0)),
        "send": _milliseconds(sent - opened),
        "wait": _milliseconds(answered - sent),
        "receive": _milliseconds(ended - answered),
    }


def _milliseconds(seconds: float) -> float:
    return round(max(0.0, seconds) * 1000, 3)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _header(headers: Headers, wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted), "")


def _text(body: bytes) -> tuple[str, str]:
    try:
        return body.decode("utf-8"), ""
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"


def _phrase(status: int | None) -> str:
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""
