"""The client of InvokeModel, which is never streamed. Source: bedrock-facts.md section 6."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from urllib.parse import quote

from tui.wire.api_client import WireEvent
from tui.wire.attempts import Attempts
from tui.wire.completion_answer import completion_events
from tui.wire.recorder import AttemptLabel

__all__ = ["InvokeModelClient"]


class InvokeModelClient(Attempts):
    """Talks InvokeModel to one endpoint; its arguments are those of `Attempts`.

    The body is that of Chat Completions and so is the answer; the model, in the label, is in the path.
    """

    def stream(self, body: bytes, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """The same as `create`: an answer comes whole."""
        return self.create(body, label)

    def create(self, body: bytes, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Send a `body` to `POST /model/{id}/invoke` and yield what comes; see `ApiClient`.

        Raises:
            WireError, TokenError: As `ApiClient.stream`.
        """

        def attempt(each: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
            path = f"/model/{quote(each.model, safe='')}/invoke"
            asked = self._request("POST", path, each, content=body, whole=True)
            return self._whole(
                asked, each, lambda answer: completion_events(answer, each.redactor), judged=True
            )

        return self._tried(attempt, label)
