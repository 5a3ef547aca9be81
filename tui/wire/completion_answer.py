"""A completion that came whole, as stream events. Source: bedrock-facts.md section 5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from tui.core.apis.completion_answer import CompletionAnswer
from tui.core.errors import StreamError
from tui.core.events import StreamEvent
from tui.wire.decode import server_error
from tui.wire.failures import from_server_error
from tui.wire.redact import Redactor

__all__ = ["completion_events"]


def completion_events(
    body: Mapping[str, Any], redactor: Redactor, request_id: str | None = None
) -> list[StreamEvent]:
    """The events that a stream would have brought for a completion that came whole, one delta an item.

    Raises:
        ResponseError: It is an error, although the status was a success.
        StreamError: It is no completion.
    """
    if "choices" not in body and "error" in body:
        raise from_server_error(server_error(body), request_id)
    choices: object = body.get("choices")
    entries = cast("list[object]", choices) if isinstance(choices, list) else []
    if not any(isinstance(entry, Mapping) for entry in entries):
        raise StreamError(
            "The server answered with something that is no completion: is the base URL that of Chat "
            "Completions?",
            code="not_a_completion",
        )
    return list(CompletionAnswer(redactor.text).whole(body))
