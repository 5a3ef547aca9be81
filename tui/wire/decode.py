"""Server-sent events to the stream events the rest of the program knows.

Dispatch is on the `type` string: the SDK builds an unknown event as the first class of its union
(bedrock-facts.md section 3, "SDK traps").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from tui.core.errors import StreamError
from tui.core.events import (
    ArgumentsDelta,
    OutputItemAdded,
    OutputItemDone,
    ReasoningDelta,
    ResponseEnded,
    ResponseStarted,
    ServerError,
    StreamEvent,
    TextDelta,
    Unknown,
)
from tui.core.items import Item
from tui.core.json_values import object_in
from tui.wire.sse import DONE, SseDecoder, SseEvent

__all__ = ["DONE", "ResponsesDecoder", "decode", "event_object", "server_error", "sse_kind"]

Body = Mapping[str, Any]


class ResponsesDecoder(SseDecoder):
    """Takes the body of a streamed response apart, see `body_decoder`."""

    media_type = "text/event-stream"

    def kinds(self, events: Sequence[SseEvent]) -> list[str]:
        """Each one's name, or its `type` where it has none."""
        return [event.event or sse_kind(event) for event in events]

    def read(self, event: SseEvent) -> tuple[Sequence[StreamEvent], int | None]:
        """What an event says; `[DONE]` and one without data, which some send to keep alive, say nothing.

        Raises:
            StreamError: As `decode`.
        """
        if event.data == DONE or not event.data.strip():
            return (), None
        decoded, number = decode(event)
        return (decoded,), number

    def ended(self) -> Sequence[StreamEvent]:
        """Nothing: the API has events that end a response."""
        return ()


def sse_kind(event: SseEvent) -> str:
    """The type of an event, for the record: its name, or the `type` in its data, or `[DONE]`."""
    return event.event or ("[DONE]" if event.data == DONE else _type_in(event.data))


def decode(event: SseEvent) -> tuple[StreamEvent, int | None]:
    """Read one event.

    Returns:
        The event, and its `sequence_number` where it has one.

    Raises:
        StreamError: The data is no UTF-8, no JSON, or no JSON object.
    """
    fields = event_object(event)
    number = fields.get("sequence_number")
    # Below 0 it would be taken for one that an earlier stream brought.
    return _read(fields, event.event), number if type(number) is int and number >= 0 else None


def event_object(event: SseEvent) -> dict[str, Any]:
    """The JSON object that is an event's data.

    Raises:
        StreamError: The data is no UTF-8, no JSON, or no JSON object.
    """
    try:
        body: object = json.loads(event.data.decode("utf-8"))
    except UnicodeDecodeError:
        raise StreamError(
            "The server sent an event that is not UTF-8 text; what came before it is kept.", code="bad_stream"
        ) from None
    except (ValueError, RecursionError):
        raise StreamError(
            "The server sent an event that is not JSON; what came before it is kept.", code="bad_stream"
        ) from None
    if not isinstance(body, dict):
        raise StreamError(
            "The server sent an event that is not a JSON object; what came before it is kept.",
            code="bad_stream",
        )
    return cast("dict[str, Any]", body)


def _read(body: Body, event_name: str) -> StreamEvent:
    kind = body.get("type")
    if not isinstance(kind, str):
        if event_name == "error" or "error" in body:
            return server_error(body)
        kind = event_name
        body = {**body, "type": kind}
    reader = _READERS.get(kind)
    return reader(body) if reader is not None else Unknown(kind)


def server_error(body: Body) -> ServerError:
    """Read an error in any form it comes in: flat, under `error`, a bare string, AWS's `Message`."""
    error: object = body.get("error")
    if isinstance(error, str):
        return ServerError("", error)
    source = cast("Body", error) if isinstance(error, Mapping) else body
    code = source.get("code") or source.get("type") or ""
    message = source.get("message") or source.get("Message") or ""
    return ServerError("" if code == "error" else str(code), str(message), str(source.get("param") or ""))


def _started(body: Body) -> StreamEvent:
    response = object_in(body, "response")
    identity = response.get("id")
    return ResponseStarted(
        identity if isinstance(identity, str) else None, str(response.get("status") or ""), response
    )


def _ended(body: Body) -> StreamEvent:
    response = object_in(body, "response")
    kind = str(body["type"])
    return ResponseEnded(str(response.get("status") or kind.removeprefix("response.")), response)


def _item_added(body: Body) -> StreamEvent:
    item = object_in(body, "item")
    return OutputItemAdded(
        _index(body, "output_index"), str(item.get("id") or ""), str(item.get("type") or "")
    )


def _item_done(body: Body) -> StreamEvent:
    return OutputItemDone(_index(body, "output_index"), Item.of(object_in(body, "item")))


def _text(body: Body) -> StreamEvent:
    return TextDelta(_index(body, "output_index"), str(body.get("item_id") or ""), _delta(body))


def _refusal(body: Body) -> StreamEvent:
    return TextDelta(_index(body, "output_index"), str(body.get("item_id") or ""), _delta(body), refusal=True)


def _reasoning(body: Body) -> StreamEvent:
    part = _index(body, "summary_index" if "summary_index" in body else "content_index")
    return ReasoningDelta(_index(body, "output_index"), str(body.get("item_id") or ""), part, _delta(body))


def _arguments(body: Body) -> StreamEvent:
    return ArgumentsDelta(_index(body, "output_index"), str(body.get("item_id") or ""), _delta(body))


def _index(body: Body, name: str) -> int:
    value = body.get(name)
    return value if isinstance(value, int) else 0


def _delta(body: Body) -> str:
    value = body.get("delta")
    return value if isinstance(value, str) else ""


_READERS: Final[Mapping[str, Callable[[Body], StreamEvent]]] = {
    "response.created": _started,
    "response.queued": _started,
    "response.in_progress": _started,
    "response.completed": _ended,
    "response.incomplete": _ended,
    "response.failed": _ended,
    "response.cancelled": _ended,
    "response.output_item.added": _item_added,
    "response.output_item.done": _item_done,
    "response.output_text.delta": _text,
    "response.refusal.delta": _refusal,
    "response.reasoning_summary_text.delta": _reasoning,
    "response.reasoning_text.delta": _reasoning,
    "response.function_call_arguments.delta": _arguments,
    "response.custom_tool_call_input.delta": _arguments,
    "error": server_error,
}


def _type_in(data: bytes) -> str:
    """The type of an event that has no `event` line."""
    start = data.find(b'"type":')
    if start == -1:
        return ""
    parts = data[start + 7 : start + 120].split(b'"')
    return parts[1].decode("utf-8", "replace") if len(parts) > 2 else ""
