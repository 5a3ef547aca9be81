"""What a whole answer must be (an event stream, a JSON object, a response), and what that stands for."""

from __future__ import annotations

import json
from typing import Any, cast

import httpx

from tui.core.background import RUNNING, answer_events
from tui.core.errors import StreamError
from tui.core.events import ResponseStarted, StreamEvent
from tui.core.text import visible_line
from tui.wire.failures import reported
from tui.wire.unpacking import can_be_unpacked, encodings

__all__ = ["check_encoding", "is_of_type", "no_stream", "parsed", "response_events"]


def check_encoding(response: httpx.Response) -> None:
    """Make sure that a body can be unpacked.

    Raises:
        StreamError: It is packed in a way that was not asked for and is not known here.
    """
    if not can_be_unpacked(response.headers):
        packed = ", ".join(encodings(response.headers))
        raise StreamError(
            f"The server packed its answer as {visible_line(packed)[:80]}, which was not asked for and "
            "cannot be unpacked: is a proxy between that changes answers?",
            code="bad_encoding",
        )


def is_of_type(response: httpx.Response, media_type: str) -> bool:
    """Whether a response says that its body is of a media type."""
    return response.headers.get("content-type", "").lower().startswith(media_type)


def no_stream(response: httpx.Response, body: bytes) -> StreamError:
    """The error for an answer that was to be a stream and is something else."""
    kind = visible_line(response.headers.get("content-type", ""))[:100] or "no content type"
    said = visible_line(reported(body).message.strip())[:300]
    return StreamError(
        f"The server answered {response.status_code} with {kind} instead of an event stream: is the base "
        f"URL that of this API?{f' It said: {said}' if said else ''}",
        code="not_a_stream",
    )


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; an empty object for any other JSON value.

    Raises:
        StreamError: It is no JSON.
    """
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        raise StreamError("The server answered with something that is not JSON.", code="not_json") from None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def response_events(response: dict[str, Any]) -> list[StreamEvent]:
    """A response object as the events that it stands for; a running one is `ResponseStarted` alone.

    Raises:
        StreamError: It is no response object.
    """
    status, identity = response.get("status"), response.get("id")
    if not isinstance(status, str) or not isinstance(identity, str):
        raise StreamError(
            "The server answered with something that is no response: is the base URL that of a "
            "Responses API?",
            code="not_a_response",
        )
    started = ResponseStarted(identity, status, response)
    return [started] if status in RUNNING else [started, *answer_events(response)]
