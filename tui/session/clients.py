"""The clients of a run: one for each API, endpoint and region, made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.config.settings import Settings
from tui.core.catalogue import API_NAMES
from tui.core.errors import InputError
from tui.core.ids import new_id
from tui.core.items import Target
from tui.credentials.credentials import Credentials

if TYPE_CHECKING:
    from tui.core.aws import AwsKeys
    from tui.wire.api_client import ApiClient
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
        self._clients: dict[tuple[str, str, str, str], ApiClient] = {}

    def client(self, target: Target, settings: Settings) -> ApiClient:
        """The client of a target's API, endpoint and region; the wire layer is imported when it is not yet.

        Raises:
            InputError: What this API needs is not installed.
            WireError: The SDK refuses the base URL.
        """
        key = (target.api, target.base_url, target.region, target.endpoint)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = self._make(target, settings)
        return client

    def responses(self, target: Target, settings: Settings) -> ResponsesClient:
        """The client of the Responses API there, which knows responses by their ids.

        Raises:
            InputError: The target is asked over another API.
            WireError: The SDK refuses the base URL.
        """
        from tui.wire.client import ResponsesClient

        client = self.client(target, settings)
        if not isinstance(client, ResponsesClient):
            raise InputError(f"Only the Responses API keeps answers, not {API_NAMES[target.api]}.")
        return client

    def _make(self, target: Target, settings: Settings) -> ApiClient:
        from tui.wire.attempts import ClientSettings

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

        signing = _Signing(self._credentials, lambda: settings.token_place(target))
        return client_class(target.api)(target, token, limits, transport=self._transport, signing=signing)

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()


class _Signing:
    """The AWS profile that is in force when a request to a place is sent; there may be none."""

    def __init__(self, credentials: Credentials, place: Callable[[], str]) -> None:
        self._credentials = credentials
        self._place = place

    async def ready(self) -> AwsKeys | None:
        signing = self._credentials.signing(self._place())
        return None if signing is None else await signing.ready()

    async def renew(self, used: AwsKeys) -> bool:
        signing = self._credentials.signing(self._place())
        return signing is not None and await signing.renew(used)


def client_class(api: str) -> Callable[..., ApiClient]:
    """What makes the client of an API; target, the token's source, limits, transport, signing go in."""
    match api:
        case "chat_completions":
            from tui.wire.chat_completions import ChatCompletionsClient as Client
        case "converse":
            from tui.wire.converse import ConverseClient as Client
        case "invoke_model":
            from tui.wire.invoke_model import InvokeModelClient as Client
        case _:
            from tui.wire.client import ResponsesClient as Client
    return Client
