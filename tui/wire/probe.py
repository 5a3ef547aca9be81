"""What is below HTTP: the addresses of a host, and the TLS handshake, through a proxy where one is in force.

For checks only; what is sent otherwise goes through the clients.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from tui.core.errors import ConnectError
from tui.core.text import visible_line
from tui.wire.network import proxy_for

__all__ = ["Handshake", "addresses", "handshake", "proxy_host"]

_LONGEST: Final = 10.0
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Handshake:
    """What was agreed on.

    Attributes:
        version: e.g. `TLSv1.3`.
        cipher: e.g. `TLS_AES_128_GCM_SHA256`.
        issuer: Who signed the server's certificate, as it names itself.
        expires_at: When the certificate ends, seconds since the epoch; `None` where it does not say.
    """

    version: str
    cipher: str
    issuer: str
    expires_at: float | None


def proxy_host(base_url: str) -> str:
    """Host and port of the proxy that is in force for a URL, without its password; empty for none."""
    proxy = proxy_for(base_url)
    return urlsplit(proxy).netloc.rpartition("@")[2] if proxy else ""


async def addresses(base_url: str) -> tuple[str, tuple[str, ...]]:
    """The host that is connected to (the proxy's, where one is in force) and its addresses.

    Raises:
        ConnectError: DNS finds none, or does not answer in time.
    """
    parts = urlsplit(proxy_for(base_url) or base_url)
    host = parts.hostname or ""
    try:
        async with asyncio.timeout(_LONGEST):
            found = await asyncio.get_running_loop().getaddrinfo(host, _port(parts), type=socket.SOCK_STREAM)
    except TimeoutError:
        raise ConnectError(f"DNS did not answer for {host} within {_LONGEST:g} s.", code="dns") from None
    except (OSError, UnicodeError):
        raise ConnectError(f"There is no host {host}: DNS found no address.", code="dns") from None
    return host, tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


async def handshake(base_url: str) -> Handshake | None:
    """Connect as a request would and agree on TLS, then close; nothing is sent.

    Returns:
        What was agreed on; `None` behind a proxy that does not speak HTTP (SOCKS), where nobody looked.

    Raises:
        ConnectError: There is no connection, the proxy refuses it, or TLS fails; the sentence says which.
    """
    proxy, parts = proxy_for(base_url), urlsplit(base_url)
    if proxy and urlsplit(proxy).scheme not in _PORTS:
        return None
    try:
        async with asyncio.timeout(_LONGEST):
            return await _handshake(urlsplit(proxy) if proxy else None, parts)
    except TimeoutError:
        where = parts.netloc
        raise ConnectError(
            f"{where} did not answer in time: no TLS connection was made.", code="tls"
        ) from None
    except ssl.SSLCertVerificationError as error:
        why = visible_line(error.verify_message)
        raise ConnectError(
            f"The TLS certificate of {parts.netloc} is not trusted: {why}.", code="tls"
        ) from None
    except ssl.SSLError as error:
        why = visible_line(error.reason or str(error))[:200]
        raise ConnectError(f"The TLS connection to {parts.netloc} failed: {why}.", code="tls") from None
    except OSError as error:
        host = f"the proxy {proxy_host(base_url)}" if proxy else parts.netloc
        if isinstance(error, socket.gaierror):
            raise ConnectError(f"There is no host {host}: DNS found no address.", code="dns") from None
        if isinstance(error, ConnectionRefusedError):
            why = "nothing listens there"
        else:
            why = visible_line(error.strerror or type(error).__name__)[:200]
        raise ConnectError(f"No connection to {host} could be made: {why}.", code="connect") from None


async def _handshake(proxy: SplitResult | None, parts: SplitResult) -> Handshake:
    context = httpx.create_ssl_context(trust_env=True)
    host, first = parts.hostname or "", proxy or parts
    outer = context if first.scheme == "https" else None
    reader, writer = await asyncio.open_connection(first.hostname, _port(first), ssl=outer)
    try:
        if proxy is not None:
            await _ask_proxy(proxy, f"{host}:{_port(parts)}", reader, writer)
            await writer.start_tls(context, server_hostname=host)
        return _agreed(cast("ssl.SSLObject", writer.get_extra_info("ssl_object")))
    finally:
        # Not waited for: a server that does not say goodbye would hold this up.
        writer.transport.abort()


async def _ask_proxy(
    proxy: SplitResult, authority: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Have an HTTP proxy connect (RFC 9110, 9.3.6)."""
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.username is not None:
        pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}")
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
    await writer.drain()
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise ConnectError(f"The proxy refused the connection to {authority}.", code="proxy") from None
    status = head.split(b"\r\n", 1)[0].split(b" ")
    code = int(status[1]) if len(status) > 1 and status[1].isdigit() else 0
    if not 200 <= code < 300:
        said = f"The proxy refused the connection to {authority} ({code})."
        raise ConnectError(said, code="proxy", status=code)


def _agreed(tls: ssl.SSLObject) -> Handshake:
    certificate = cast("dict[str, Any]", tls.getpeercert() or {})
    names = {name: value for group in certificate.get("issuer", ()) for name, value in group}
    issuer = str(names.get("organizationName") or names.get("commonName") or "")
    until = certificate.get("notAfter")
    cipher = tls.cipher()
    return Handshake(
        version=tls.version() or "",
        cipher=cipher[0] if cipher else "",
        issuer=visible_line(issuer),
        expires_at=float(ssl.cert_time_to_seconds(str(until))) if until else None,
    )


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS.get(parts.scheme, 443)
