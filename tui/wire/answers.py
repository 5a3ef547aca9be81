"""What a whole answer must be (an event stream, a JSON object, a response), and what that stands for."""

from __future__ import annotations

import json
from typing import Any, cast

import httpx

from tui.core.background import RUNNING, answer_events
from tui.core.errors import StreamError
from tui.core.events import ResponseStarted, StreamEvent

__all__ = ["check_media_type", "parsed", "response_events"]


def check_media_type(response: httpx.Response, media_type: str) -> None:
    """Make sure that an answer can be read event by event.

    Raises:
        StreamError: It is something else.
    """
    kind = response.headers.get("content-type", "")
    if not kind.lower().startswith(media_type):
        raise StreamError(
            f"The server answered {response.status_code} with {kind or 'no content type'} instead of an "
            "event stream: is the base URL that of this API?",
            code="not_a_stream",
        )


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; an empty object for any other JSON value.

    Raises:
        StreamError: It is no JSON.
    """
    try:
        value: object = json.loads(body)
    except ValueError:
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
