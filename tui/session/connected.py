"""Conversations with a service behind them: what starts and ends with a run, and what asks the service.

Part of the session layer, between `conversations.py` and `sending.py`. Nothing here blocks the event loop:
SQLite has a thread, the keyring a daemon thread, imports a worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tui.config.settings import Settings
from tui.core.ahead import imported
from tui.core.errors import OutcropError, TokenMissing
from tui.core.garbage import collector_paused
from tui.core.items import Target
from tui.credentials.credentials import Credentials
from tui.session.clients import Clients
from tui.session.conversations import Conversations
from tui.session.discovery import Discovery
from tui.session.responses import StoredResponses

if TYPE_CHECKING:
    from tui.wire.api_client import ApiClient
    from tui.wire.client import ResponsesClient

__all__ = ["Connected"]


class Connected(Conversations):
    """Gets ready, has a client for each target, and closes all at the end.

    Args:
        settings: As configured; with the sandbox they are completed when it has started.
        credentials: Where the token comes from.
        start_sandbox: Starts the embedded endpoint and returns its base URL; `None` talks to the service.
        now: Wall clock, seconds since the epoch.
        monotonic: Clock for durations, seconds.
        transport: An `httpx.AsyncBaseTransport` for tests; the network by default.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        start_sandbox: Callable[[], str] | None,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        transport: Any,
    ) -> None:
        super().__init__(settings, now)
        self.credentials = credentials
        self._start_sandbox = start_sandbox
        self._monotonic = monotonic
        self._clients = Clients(credentials, self._next_number, now, monotonic, transport)
        self.responses = StoredResponses(self.records, self, now)
        self.discovery = Discovery(self.records, self, now, monotonic)
        self._retry: asyncio.Task[None] | None = None
        self._pruning: asyncio.Task[None] | None = None
        self._readied: asyncio.Task[None] | None = None
        self._warm: asyncio.Task[None] | None = None

    # -- start and end ---------------------------------------------------------------------------

    async def get_ready(self) -> None:
        """Start the sandbox and read what is remembered of models: all that showing a conversation needs.

        Raises:
            OSError: The sandbox's port cannot be had.
        """
        if self._readied is None:
            self._readied = asyncio.create_task(self._get_ready())
        await asyncio.shield(self._readied)

    async def _get_ready(self) -> None:
        if self._start_sandbox is not None:
            base_url = await asyncio.to_thread(self._start_sandbox)
            self.settings = self.settings.with_sandbox(base_url)
        await self._options.load()
        if left := await self.responses.left_to_delete():
            self._retry = asyncio.create_task(self._delete_what_is_left(left))
        self._pruning = asyncio.create_task(
            self.records.prune(self.settings.exchanges_max, self.settings.exchanges_max_days, self._now)
        )

    async def warm_up(self) -> None:
        """Get ready, and import the wire layer in a thread; sending waits for it.

        The SDK is as large as the rest of the program: who only looks at the prompt does not pay for it.

        Raises:
            OSError: The sandbox's port cannot be had.
        """
        if self._warm is None:
            self._warm = asyncio.create_task(self._warm_up())
        await asyncio.shield(self._warm)

    async def _warm_up(self) -> None:
        # One after the other: two threads that import at the same time wait for each other's module locks.
        await self.get_ready()
        with collector_paused(freeze=True):
            await imported("tui.wire.client")
            # httpx imports this with the first connection, on the event loop.
            with suppress(ImportError):
                await imported("anyio._backends._asyncio")
            # Certificates and the SDK would hold up the first turn; what is refused is said when it is sent.
            with suppress(OutcropError):
                await asyncio.to_thread(self.api_client, self.settings.target())

    async def _delete_what_is_left(self, response_ids: Sequence[str]) -> None:
        await self.warm_up()
        await self.responses.retry(response_ids)

    async def aclose(self) -> None:
        """Close connections and finish what is being written; delete what this run stored, if so set."""
        for task in (self._readied, self._warm):
            if task is not None and not task.done():
                task.cancel()
        for task in (self._retry, self._pruning):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        if self.settings.cleanup_stored_responses:
            await self.responses.clean_up()
        await self._clients.aclose()
        await self.records.aclose()

    # -- the service -------------------------------------------------------------------------------

    async def check_token(self, target: Target) -> None:
        """Make sure that there is a token for a target before anything is sent or recorded.

        Raises:
            TokenError: There is none that could work.
        """
        place = self.settings.token_place(target)
        asked = await self.credentials.load(place)
        try:
            self.credentials.check(place)
        except TokenMissing:
            if asked.state in ("locked", "unavailable", "failed"):
                raise TokenMissing(asked.sentence) from None
            raise

    def client(self, target: Target) -> ResponsesClient:
        """What asks for, cancels and deletes the responses of an endpoint and region, by their ids.

        `warm_up` must have ended.

        Raises:
            WireError: The SDK refuses the base URL.
        """
        return self._clients.responses(target, self.settings)

    def api_client(self, target: Target) -> ApiClient:
        """What sends requests to an endpoint and region over the target's API; `warm_up` must have ended.

        Raises:
            WireError: The SDK refuses the base URL.
        """
        return self._clients.client(target, self.settings)

    def _next_number(self, conversation_id: str) -> int:
        rows = self._exchanges.get(conversation_id, [])
        return rows[-1].number + 1 if rows else 1

    def gone(self, response_id: str) -> None:
        """Never continue from a response that the server has deleted."""
        for conversation in list(self._conversations.values()):
            if any(turn.response_id == response_id for turn in conversation.turns.values()):
                self._conversations[conversation.id] = conversation.forget([response_id])
