"""The answer in an exchange: the response object that a stream ended with, or that came whole.

What came over another API than Responses is told in the same terms.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final, cast

from tui.core.apis import RESPONSES
from tui.core.apis.recorded import answer_of, api_of, usage_of_other
from tui.core.exchange import Exchange, SseRecord
from tui.core.items import Usage, dump_json

__all__ = ["answer_object", "assembled_object", "final_object", "usage_of"]

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
    """The response object of an exchange, streamed or not, parsed; `None` when none came whole.

    Off the event loop, as that of another API is put together from all events of its stream.
    """
    api = api_of(exchange)
    if api is not None and api != RESPONSES:
        return answer_of(exchange, api)
    text: str | bytes | None = final_object(exchange.events) if exchange.events else exchange.response_body
    try:
        value: object = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def usage_of(exchange: Exchange) -> Usage | None:
    """The tokens as the server counted them; `None` when it did not say."""
    api = api_of(exchange)
    if api is not None and api != RESPONSES:
        return usage_of_other(exchange, api)
    answer = answer_object(exchange)
    return None if answer is None else Usage.from_payload(answer.get("usage"))


def assembled_object(exchange: Exchange) -> str | None:
    """The response object of a stream that has none of its own, as JSON text; off the event loop.

    `None` for the Responses API, for an answer that was not streamed, and for one that did not end.
    """
    api = api_of(exchange)
    if api is None or api == RESPONSES or not exchange.events:
        return None
    answer = answer_of(exchange, api)
    return None if answer is None else dump_json(answer)


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
