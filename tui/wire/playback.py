"""Plays a cassette back: a transport that answers requests with what was recorded, in the order of it.

It stands below the recorder in the place of the network, so that all above it is as it always is.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import httpx

from tui.core.exchange import Exchange
from tui.core.items import Outcome
from tui.core.json_diff import json_changes

__all__ = ["PlaybackTransport"]

_COMPARED: Final = ("model", "input", "previous_response_id", "instructions", "stream", "messages", "system")
"""What makes an answer one to this request; limits and the like may be others than when it was recorded."""

_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection"})


class PlaybackTransport(httpx.AsyncBaseTransport):
    """Answers each request with the next recorded one that is the same; those of other branches wait.

    A request that was not recorded is answered with status 422 and a sentence that says where it differs
    from the next one of its method and path.

    Args:
        exchanges: What was recorded, in order.
        speed: 1 is as it was recorded, 2 twice as fast; `None` does not wait at all.
        sleep: Waits, seconds.
        monotonic: The clock, seconds.
    """

    def __init__(
        self,
        exchanges: Sequence[Exchange],
        speed: float | None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._left = list(exchanges)
        self._speed = speed
        self._sleep = sleep
        self._monotonic = monotonic

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Give the recorded answer.

        Raises:
            httpx.ConnectError: No connection was made when this was recorded.
        """
        began = self._monotonic()
        sent = await request.aread()
        path = _path(str(request.url))
        left = [one for one in self._left if one.method == request.method and _path(one.url) == path]
        found = next((one for one in left if not _difference(one.request_body, sent)), None)
        if not left:
            rest = f"{len(self._left)} other requests are left on it" if self._left else "it is at its end"
            return _refusal(f"The cassette holds no more {request.method} {path}; {rest}.")
        if found is None:
            difference = _difference(left[0].request_body, sent)
            return _refusal(
                f"The cassette's next {request.method} {path} is another request than this one: {difference}."
            )
        self._left.remove(found)

        async def until(offset: float | None) -> None:
            if self._speed is not None and offset is not None:
                await self._sleep(max(0.0, began + offset / self._speed - self._monotonic()))

        await until(found.timings.headers if found.status is not None else found.timings.ended)
        if found.status is None:
            raise httpx.ConnectError(found.error or "no response came when this was recorded")
        return httpx.Response(
            found.status,
            headers=[(name, value) for name, value in found.response_headers if name.lower() not in _FRAMING],
            stream=_Recorded(found, until),
            extensions={"http_version": found.http_version.encode("ascii", "replace")},
        )


class _Recorded(httpx.AsyncByteStream):
    """A recorded body, piece by piece."""

    def __init__(self, exchange: Exchange, until: Callable[[float | None], Awaitable[None]]) -> None:
        self._exchange = exchange
        self._until = until

    async def __aiter__(self) -> AsyncIterator[bytes]:
        exchange = self._exchange
        for chunk in exchange.chunks:
            await self._until(chunk.offset)
            yield chunk.data
        broke = exchange.outcome is Outcome.FAILED and "broke off" in (exchange.error or "")
        if broke or exchange.outcome is Outcome.CANCELLED:
            raise httpx.ReadError("The recording ends here.")

    async def aclose(self) -> None:
        """There is nothing to close."""


def _path(url: str) -> str:
    """The path below the base URL, with its query: a cassette may be played at another one."""
    parts = urlsplit(url)
    # The APIs of AWS's own form have no /v1 above their paths, but the model.
    _, found, below = parts.path.rpartition("/model/")
    path = found + below if found else parts.path.rpartition("/v1")[2]
    return f"{path}?{parts.query}" if parts.query else path


def _difference(recorded: bytes, sent: bytes) -> str:
    """Where a request's body differs in what matters, in words; empty where it does not."""
    if recorded == sent:
        return ""
    try:
        one, other = json.loads(recorded), json.loads(sent)
        pair = [{name: body[name] for name in _COMPARED if name in body} for body in (one, other)]
    except (ValueError, RecursionError, TypeError):
        return "the bodies differ"
    changes = json_changes(*pair)
    return changes[0].words() if changes else ""


def _refusal(sentence: str) -> httpx.Response:
    body = {"error": {"message": sentence, "type": "playback_error", "code": "not_in_cassette"}}
    return httpx.Response(422, json=body)
