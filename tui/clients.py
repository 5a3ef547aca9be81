"""The clients of a run: one for each endpoint and region, made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.config import Settings
from tui.core.ids import new_id
from tui.core.items import Target
from tui.credentials import Credentials

if TYPE_CHECKING:
    from tui.wire.client import ResponsesClient

__all__ = ["Clients"]


class Clients:
    """Makes clients and keeps them.

    Args:
        credentials: Where the token comes from.
        number: Gives the next exchange number of a conversation.
        now: Wall clock, seconds since the epoch.
        monotonic: Clock for durations, seconds.
        transport: An `httpx.AsyncBaseTransport` for tests; `None` for the network.
    """

    def __init__(
        self,
        credentials: Credentials,
        number: Callable[[str], int],
        now: Callable[[], float],
        monotonic: Callable[[], float],
        transport: Any,
    ) -> None:
        self._credentials = credentials
        self._number = number
        self._now = now
        self._monotonic = monotonic
        self._transport = transport
        self._clients: dict[tuple[str, str, str], ResponsesClient] = {}

    def client(self, target: Target, settings: Settings) -> ResponsesClient:
        """The client of a target's endpoint and region; the wire layer is imported when it is not yet.

        Raises:
            WireError: The SDK refuses the base URL.
        """
        from tui.wire.client import ClientSettings, ResponsesClient

        key = (target.base_url, target.region, target.endpoint)
        client = self._clients.get(key)
        if client is None:
            limits = ClientSettings(
                number=self._number,
                new_id=new_id,
                max_retries=settings.max_retries,
                request_timeout=settings.request_timeout,
                idle_timeout=settings.idle_timeout,
                now=self._now,
                monotonic=self._monotonic,
            )

            def token() -> str:
                return self._credentials.token_for(settings.token_place(target))

            client = ResponsesClient(target, token, limits, transport=self._transport)
            self._clients[key] = client
        return client

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()
