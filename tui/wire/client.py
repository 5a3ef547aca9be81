"""The client of the Responses API: send and stream, retrieve, poll, take up again, cancel, delete."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import quote

from tui.wire.answers import response_events
from tui.wire.api_client import WireEvent
from tui.wire.attempts import RAW_STREAM, Attempts, ClientSettings
from tui.wire.decode import ResponsesDecoder
from tui.wire.recorder import AttemptLabel
from tui.wire.redact import Redactor

__all__ = ["ClientSettings", "ResponsesClient", "WireEvent"]


class ResponsesClient(Attempts):
    """Talks to the Responses API of one endpoint; its arguments are those of `Attempts`."""

    def stream(self, body: bytes, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Send `body` to `POST /responses` and yield what comes, attempt by attempt.

        `label.attempt` is the first attempt's number. Each attempt begins with `AttemptStarted` and ends
        with `AttemptEnded`, before which a terminal event comes; the generator returns after it.

        Raises:
            WireError: The last attempt failed. What had been yielded stands.
            TokenError: There is no usable token.
        """

        def attempt(each: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
            asked = self._request("POST", "/responses", each, content=body, headers=RAW_STREAM)
            return self._streamed(asked, each, _decoder, response_events)

        return self._tried(attempt, label)

    def create(self, body: bytes, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Send a `body` that asks for no stream, and yield what comes, attempt by attempt.

        The response object is one event: `ResponseStarted` while it is queued or in progress (a background
        response), else those that a stream would have brought, `ResponseEnded` the last.

        Raises:
            WireError, TokenError: As `stream`.
        """

        def attempt(each: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
            asked = self._request("POST", "/responses", each, content=body)
            return self._whole(asked, each, response_events)

        return self._tried(attempt, label)

    def poll(self, response_id: str, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Ask once how a response stands; the events are those of `create`.

        Raises:
            WireError: It could not be had; status 404 when the server does not know it.
            TokenError: There is no usable token.
        """
        asked = self._request("GET", f"/responses/{quote(response_id, safe='')}", label)
        return self._once(self._whole(asked, label, response_events), label)

    def resume(self, response_id: str, after: int, label: AttemptLabel) -> AsyncGenerator[WireEvent, None]:
        """Take up the stream of a background response again, after the event numbered `after`; one attempt.

        Raises:
            WireError: The server does not do that, or the stream was cut again.
            TokenError: There is no usable token.
        """
        path = f"/responses/{quote(response_id, safe='')}?stream=true&starting_after={after}"
        asked = self._request("GET", path, label, headers=RAW_STREAM)
        return self._once(self._streamed(asked, label, _decoder, response_events, after), label)

    async def retrieve(self, response_id: str, label: AttemptLabel) -> dict[str, Any]:
        """`GET /responses/{id}`: the stored response as the server has it.

        Raises:
            WireError: It could not be had; status 404 when the server does not know it.
        """
        return await self._json("GET", f"/responses/{quote(response_id, safe='')}", label)

    async def cancel(self, response_id: str, label: AttemptLabel) -> dict[str, Any]:
        """`POST /responses/{id}/cancel`: end a background response.

        Raises:
            WireError: It could not be cancelled.
        """
        return await self._json("POST", f"/responses/{quote(response_id, safe='')}/cancel", label)

    async def delete(self, response_id: str, label: AttemptLabel) -> None:
        """`DELETE /responses/{id}`.

        Raises:
            WireError: It could not be deleted; status 404 when the server does not know it.
        """
        await self._json("DELETE", f"/responses/{quote(response_id, safe='')}", label)

    async def compact(self, body: bytes, label: AttemptLabel) -> dict[str, Any]:
        """`POST /responses/compact`: what the server makes of the items in `body`.

        Raises:
            WireError: The server does not do that (Bedrock documents no such path), or it failed.
        """
        return await self._json("POST", "/responses/compact", label, body)


def _decoder(redactor: Redactor) -> ResponsesDecoder:
    """What it gives is cut out of the bytes, which hold no secret."""
    return ResponsesDecoder()
