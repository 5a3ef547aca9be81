"""The answer in an exchange: the response object that a stream ended with, or that came whole."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final, cast

from tui.core.exchange import Exchange, SseRecord
from tui.core.items import Usage

__all__ = ["answer_object", "final_object", "usage_of"]

_DECODER: Final = json.JSONDecoder()
_TERMINAL: Final = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
)


def final_object(events: Sequence[SseRecord]) -> str | None:
    """The response object of the stream's last event, as the JSON text it came in, or `None`."""
    for record in reversed(events[-8:]):
        if record.type in _TERMINAL:
            return _member(record.data, "response")
    return None


def answer_object(exchange: Exchange) -> dict[str, Any] | None:
    """The response object of an exchange, streamed or not, parsed; `None` when none came whole."""
    text: str | bytes | None = final_object(exchange.events) if exchange.events else exchange.response_body
    try:
        value: object = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def usage_of(exchange: Exchange) -> Usage | None:
    """The tokens as the server counted them; `None` when it did not say."""
    answer = answer_object(exchange)
    return None if answer is None else Usage.from_payload(answer.get("usage"))


def _member(text: str, name: str) -> str | None:
    """The object that is `name` in a JSON object, in its own spelling."""
    try:
        whole: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    wanted = cast("dict[str, object]", whole).get(name) if isinstance(whole, dict) else None
    if not isinstance(wanted, dict):
        return None
    for match in re.finditer(rf'"{name}"\s*:\s*(?=\{{)', text):
        value, end = _DECODER.raw_decode(text, match.end())
        if value == wanted:
            return text[match.end() : end]
    return None
