"""The client of Converse and ConverseStream, with the bearer token over HTTPS.

Source: AWS, "Converse" and "ConverseStream" (API reference); bedrock-facts.md section 6.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final, cast
from urllib.parse import quote

from tui.core.apis.converse_answer import ConverseAnswer, answer_events
from tui.core.errors import StreamError
from tui.core.events import Notice, ResponseEnded, ServerError, StreamEvent
from tui.core.text import visible_line
from tui.wire.api_client import WireEvent
from tui.wire.attempts import RAW_STREAM, Attempts
from tui.wire.event_stream import (
    DAMAGED,
    EVENT_STREAM,
    INSTALL,
    EventStreamDecoder,
    Frame,
    is_installed,
)
from tui.wire.recorder import AttemptLabel
from tui.wire.redact import Redactor

__all__ = ["ConverseClient", "ConverseDecoder"]


_WHOLE: Final = (
    f"This answer comes whole: a streamed one of Converse needs botocore, which is not installed ({INSTALL})."
)


class ConverseClient(Attempts):
    """Talks to Converse at one endpoint's host; its arguments are those of `Attempts`."""

    async def stream(self, body: bytes, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Send `body` to `POST /model/{id}/converse-stream` and yield what comes, attempt by attempt.

        Where botocore, which takes the stream apart, is not installed, this is `create` and says so.

        Raises:
            WireError: The last attempt failed. What had been yielded stands.
            TokenError: There is no usable token.
        """
        if not is_installed():
            yield Notice(_WHOLE)
            async with aclosing(self.create(body, label)) as events:
                async for event in events:
                    yield event
            return
        headers = {**RAW_STREAM, "Accept": EVENT_STREAM}

        def attempt(each: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
            asked = self._request("POST", _path(each, "converse-stream"), each, content=body, headers=headers)
            return self._streamed(
                asked, each, ConverseDecoder, lambda answer: _whole_answer(answer, each.redactor)
            )

        async with aclosing(self._tried(attempt, label)) as events:
            async for event in events:
                yield event

    def create(self, body: bytes, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Send `body` to `POST /model/{id}/converse`; the events are those that a stream would have brought.

        Raises:
            WireError, TokenError: As `stream`.
        """

        def attempt(each: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
            asked = self._request("POST", _path(each, "converse"), each, content=body, whole=True)
            return self._whole(asked, each, lambda answer: _whole_answer(answer, each.redactor), judged=True)

        return self._tried(attempt, label)


def _path(label: AttemptLabel, operation: str) -> str:
    return f"/model/{quote(label.model, safe='')}/{operation}"


def _whole_answer(body: Mapping[str, Any], redactor: Redactor) -> list[StreamEvent]:
    events = answer_events(body, redactor.text)
    if not isinstance(events[-1], ResponseEnded):
        raise StreamError(
            "The server answered with something that is no answer of Converse: is the base URL that of this "
            "API?",
            code="not_a_response",
        )
    return events


class ConverseDecoder:
    """Takes the body of ConverseStream apart, see `body_decoder`.

    Args:
        redactor: Masks the token in what is put together of several frames.
    """

    media_type = EVENT_STREAM

    def __init__(self, redactor: Redactor) -> None:
        self._frames = EventStreamDecoder()
        self._answer = ConverseAnswer(redactor.text)

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete; a damage is a frame too, which cannot be read."""
        yield from self._frames.feed(piece)

    def finish(self) -> Frame | None:
        """What stands for a frame that was cut off."""
        return self._frames.finish()

    def said_otherwise(self, events: Sequence[Frame]) -> Mapping[int, str]:
        """What stands for a damage."""
        return {
            index: event.data.decode("utf-8", "replace")
            for index, event in enumerate(events)
            if event.message == DAMAGED
        }

    def kinds(self, events: Sequence[Frame]) -> list[str]:
        """Each frame's `:event-type` or `:exception-type`."""
        return [event.kind or event.message for event in events]

    def is_last(self, event: Frame) -> bool:
        """None is: the tokens come after the answer's end."""
        return False

    def read(self, event: Frame) -> tuple[Sequence[StreamEvent], int | None]:
        """What a frame says; frames have no numbers.

        Raises:
            StreamError: It is damaged, or its payload is no JSON object.
        """
        if event.message == DAMAGED:
            raise StreamError(
                f"The server's event stream is damaged: {event.said}. What came before is kept.",
                code="bad_stream",
            )
        payload = _payload(event)
        if event.message != "event":
            said = payload.get("message") or payload.get("Message") or payload.get("originalMessage")
            return [ServerError(event.kind, str(said or event.said))], None
        return self._answer.take(event.kind, payload), None

    def ended(self) -> Sequence[StreamEvent]:
        """The last event of an answer that was whole, and whose usage never came."""
        return self._answer.ended()


def _payload(frame: Frame) -> Mapping[str, Any]:
    try:
        value: object = json.loads(frame.data.decode("utf-8")) if frame.data else {}
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise StreamError(
            f"The server sent a {visible_line(frame.kind) or 'frame'} whose payload is no JSON object. What "
            "came before is kept.",
            code="bad_stream",
        )
    return cast("dict[str, Any]", value)
