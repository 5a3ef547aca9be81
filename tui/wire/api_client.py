"""What every API's client is to the session: a body goes out, and events in the program's terms come back."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Protocol

from tui.core.events import AttemptEnded, AttemptStarted, Notice, RetryWaiting, Silence, StreamEvent
from tui.wire.recorder import AttemptLabel

__all__ = ["ApiClient", "WireEvent"]

WireEvent = StreamEvent | AttemptStarted | AttemptEnded | RetryWaiting | Silence | Notice


class ApiClient(Protocol):
    """Talks one API of one endpoint; the model is in the label of each request.

    Whatever the API, the stream events are those of the Responses API: items come in its form, and the
    `response` of the `ResponseEnded` that is the last of them has its shape (`id`, `status`, `output`,
    `usage`, `incomplete_details`, `error`).
    """

    def stream(self, body: bytes, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Send a body and yield what comes as it comes, attempt by attempt.

        Each attempt begins with `AttemptStarted` and ends with `AttemptEnded`.

        Raises:
            WireError: The last attempt failed. What had been yielded stands.
            TokenError: There is no usable token.
        """
        ...

    def create(self, body: bytes, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Send a body that asks for no stream; the events are those that a stream would have brought.

        Raises:
            WireError, TokenError: As `stream`.
        """
        ...

    async def models(self, label: AttemptLabel) -> dict[str, Any]:
        """What this base URL lists; one attempt.

        Raises:
            WireError: It lists nothing, or could not be asked.
            TokenError: There is no usable token.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
