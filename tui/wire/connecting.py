"""Making a connection so that it can be given up: a name that nobody answers for, a handshake that hangs.

httpcore leaves a TCP connection open whose TLS handshake was cancelled, and asyncio looks names up in threads
that hold the exit of the program until the resolver gives up.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from typing import Any, Final

import httpx

from tui.core.daemon import in_daemon

__all__ = ["ConnectingTransport"]

_LOOKUP_TIMEOUT: Final = 4.0
"""Seconds; with the time that the sentence takes to the screen, it is there within five."""

_FRESH: Final = 15.0
"""Seconds for which a host that answered needs no look-up: its connection is kept for that long."""


class ConnectingTransport(httpx.AsyncHTTPTransport):
    """A transport to one host, whose connections are closed whenever making them is given up.

    Args:
        host: What the connection is made to, a proxy perhaps.
        options: Those of `httpx.AsyncHTTPTransport`.
    """

    def __init__(self, host: str, **options: Any) -> None:
        super().__init__(**options)
        self._host = host
        self._answered = float("-inf")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            httpx.TransportError: As httpx's transport does; a `ConnectError` for a name without an address.
        """
        if time.monotonic() - self._answered > _FRESH and not _is_address(self._host):
            await _look_up(self._host)
        opened: list[Any] = []
        outer = request.extensions.get("trace")

        async def trace(name: str, info: dict[str, Any]) -> None:
            if name.endswith("connect_tcp.complete"):
                opened.append(info["return_value"])
            if outer is not None:
                await outer(name, info)

        request.extensions = {**request.extensions, "trace": trace}
        try:
            response = await super().handle_async_request(request)
        except asyncio.CancelledError:
            for stream in opened:
                await stream.aclose()
            raise
        self._answered = time.monotonic()
        return response


def _is_address(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _look_up(host: str) -> None:
    """Make sure that a name has an address, in a thread that holds nothing up.

    Raises:
        httpx.ConnectError: It has none, or nobody said so in time; the cause is the `gaierror`.
    """
    try:
        if await in_daemon(lambda: _ask(host), _LOOKUP_TIMEOUT, name="outcrop-lookup") is None:
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error


def _ask(host: str) -> None:
    """Blocks.

    Raises:
        OSError: The name has no address.
    """
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "no name") from None
