"""The client of Chat Completions, on runtime and mantle. Source: bedrock-facts.md section 5."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

from tui.core.apis.completion_answer import CompletionAnswer
from tui.core.events import StreamEvent, Unknown
from tui.wire.api_client import WireEvent
from tui.wire.attempts import RAW_STREAM, Attempts
from tui.wire.completion_answer import completion_events
from tui.wire.decode import DONE, event_object, server_error
from tui.wire.recorder import AttemptLabel
from tui.wire.redact import Redactor
from tui.wire.sse import SseDecoder, SseEvent

__all__ = ["CHUNK", "ChatCompletionsClient", "ChunkDecoder"]

CHUNK: Final = "chat.completion.chunk"
_PATH: Final = "/chat/completions"
_OBJECT: Final = re.compile(rb'"object"\s*:\s*"([^"]{1,80})"')


class ChatCompletionsClient(Attempts):
    """Talks Chat Completions to one endpoint; its arguments are those of `Attempts`."""

    def stream(self, body: bytes, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Send a `body` that asks for a stream, and yield what comes; see `ApiClient`.

        Raises:
            WireError, TokenError: As `ApiClient.stream`.
        """

        def attempt(each: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
            asked = self._request("POST", _PATH, each, content=body, headers=RAW_STREAM)
            return self._streamed(asked, each, ChunkDecoder, lambda answer: _events(answer, each))

        return self._tried(attempt, label)

    def create(self, body: bytes, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Send a `body` that asks for no stream, and yield what comes; see `ApiClient`.

        Raises:
            WireError, TokenError: As `ApiClient.stream`.
        """

        def attempt(each: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
            asked = self._request("POST", _PATH, each, content=body, whole=True)
            return self._whole(asked, each, lambda answer: _events(answer, each), judged=True)

        return self._tried(attempt, label)


def _events(answer: dict[str, Any], label: AttemptLabel) -> list[StreamEvent]:
    request_id = None if label.exchange is None else label.exchange.request_id
    return completion_events(answer, label.redactor, request_id)


class ChunkDecoder(SseDecoder):
    """Takes the body of a streamed completion apart, see `body_decoder`.

    Args:
        redactor: Masks the token in the items.
    """

    media_type = "text/event-stream"

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._answer = CompletionAnswer(redactor.text)

    def _kind(self, event: SseEvent) -> str:
        if event.data == DONE:
            return "[DONE]"
        if event.event:
            return event.event
        # Before the choices, as an answer may hold such words too.
        found = _OBJECT.search(event.data.partition(b'"choices"')[0]) or _OBJECT.search(event.data)
        if found is not None:
            return found[1].decode("utf-8", "replace")
        return "error" if b'"error"' in event.data else CHUNK

    def kinds(self, events: Sequence[SseEvent]) -> list[str]:
        """Each chunk's `object`; the event's name where it has one."""
        return list(map(self._kind, events))

    def read(self, event: SseEvent) -> tuple[Sequence[StreamEvent], int | None]:
        """What a chunk says; chunks have no numbers.

        Raises:
            StreamError: The data is no JSON object.
        """
        if event.data == DONE:
            return self.ended(), None
        if not event.data.strip():
            # Some send it to keep alive.
            return (), None
        body = event_object(event)
        if event.event == "error" or (body.get("error") and "choices" not in body):
            return (server_error(body),), None
        if "choices" not in body and "usage" not in body:
            return (Unknown(self._kind(event)),), None
        return list(self._answer.chunk(body)), None

    def ended(self) -> Sequence[StreamEvent]:
        """The answer's end, where it has said why it finished; its tokens may not have come."""
        return list(self._answer.end())
