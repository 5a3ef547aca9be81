"""Recorded exchanges of every API: what their answers come to, and where the parts of a request stand.

Source: bedrock-facts.md sections 1, 5 and 6.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from tui.core.apis.asked import asked_of
from tui.core.events import ResponseEnded, StreamEvent
from tui.core.exchange import Exchange
from tui.core.items import Usage
from tui.core.json_places import Step

__all__ = ["Part", "answer_of", "api_of", "model_of", "parts_of", "usage_of_other"]

_LAST: Final = 8
"""Events at a stream's end among which the one that tells the tokens is."""

Payload = Mapping[str, Any]


def api_of(exchange: Exchange) -> str | None:
    """The API over which an exchange asked for an answer; `None` for any other request."""
    asked = asked_of(exchange)
    return None if asked is None else asked.api


def model_of(exchange: Exchange, body: Payload) -> object:
    """The model that a request named: in its path, or in its body."""
    asked = asked_of(exchange)
    return (asked.model if asked else "") or body.get("model")


# -- answers --------------------------------------------------------------------------------------------


def answer_of(exchange: Exchange, api: str) -> dict[str, Any] | None:
    """The answer of another API than Responses as a response object; `None` when it did not end.

    That of a stream is put together from all of its events: call it off the event loop.
    """
    try:
        events = _translated(exchange, api)
        for event in events:
            if isinstance(event, ResponseEnded):
                return dict(event.response)
    except (ValueError, TypeError, RecursionError):
        return None
    return None


def usage_of_other(exchange: Exchange, api: str) -> Usage | None:
    """The tokens as another API than Responses counted them; `None` when it did not say."""
    from tui.core.apis.completion import usage_of_completion
    from tui.core.apis.converse_answer import usage_of_converse

    read = usage_of_converse if api == "converse" else usage_of_completion
    if not exchange.events:
        return Usage.from_payload(read(_object(exchange.response_body).get("usage")))
    for record in reversed(exchange.events[-_LAST:]):
        if '"usage"' in record.data and (usage := _object(record.data).get("usage")):
            return Usage.from_payload(read(usage))
    return None


def _translated(exchange: Exchange, api: str) -> Iterator[StreamEvent]:
    from tui.core.apis.completion_answer import CompletionAnswer
    from tui.core.apis.converse_answer import ConverseAnswer, answer_events

    if api == "converse":
        if not exchange.events:
            yield from answer_events(_object(exchange.response_body))
            return
        answer = ConverseAnswer()
        for record in exchange.events:
            yield from answer.take(record.type, _object(record.data))
        yield from answer.ended()
        return
    completion = CompletionAnswer()
    if not exchange.events:
        body = _object(exchange.response_body)
        if body.get("choices"):
            yield from completion.whole(body)
        return
    for record in exchange.events:
        yield from completion.chunk(_object(record.data))
    yield from completion.end()


def _object(text: str | bytes) -> dict[str, Any]:
    """A JSON object; an empty one for what is none, such as `[DONE]`."""
    try:
        value: object = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


# -- requests -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what a request gives the model.

    Attributes:
        kind: What it is, as in `effective_context`.
        value: As it stands in the body.
        path: Where that is.
    """

    kind: Literal["format", "tool", "instructions", "item"]
    value: Any
    path: tuple[Step, ...]


def parts_of(body: Payload, api: str) -> list[Part]:
    """The parts of a body of another API than Responses, in the order in which the prompt is taken to be.

    Text format, tools, instructions (all system blocks of Converse as one; a message of Chat Completions is
    an item whatever its role), items.
    """
    form: tuple[Step, ...] = ("response_format",)
    tools: tuple[Step, ...] = ("tools",)
    if api == "converse":
        form, tools = ("outputConfig", "textFormat"), ("toolConfig", "tools")
    found = _at(body, form)
    parts = [] if found is None else [Part("format", found, form)]
    parts += _listed("tool", body, tools)
    if api == "converse" and body.get("system"):
        parts.append(Part("instructions", body["system"], ("system",)))
    return [*parts, *_listed("item", body, ("messages",))]


def _listed(kind: Literal["tool", "item"], body: Payload, path: tuple[Step, ...]) -> list[Part]:
    found = _at(body, path)
    entries = cast("list[object]", found) if isinstance(found, list) else []
    return [Part(kind, entry, (*path, number)) for number, entry in enumerate(entries)]


def _at(body: Payload, path: tuple[Step, ...]) -> object:
    value: object = body
    for step in path:
        value = cast("dict[Step, object]", value).get(step) if isinstance(value, dict) else None
    return value
