"""The transport under the recorder: TLS and proxies, as the environment says.

A client that is given its transport ignores proxy variables, so they are built in here. Loopback is always
direct. Source: DESIGN.md, "Rules of the wire".
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import urllib.request
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import httpx

from tui.core.errors import ConnectError
from tui.wire.connecting import ConnectingTransport
from tui.wire.error_chains import bare

__all__ = ["is_loopback", "make_transport"]

# A connection left idle for longer may be closed by the far end at the moment it is used again.
_KEEPALIVE_EXPIRY: Final = 15.0


def make_transport(base_url: str) -> httpx.AsyncHTTPTransport:
    """A transport for one origin, with the proxy and the certificates that the environment names.

    Raises:
        ConnectError: Those cannot be used; the sentence does not show the proxy, which may have a password.
    """
    host = urlsplit(base_url).netloc
    proxy = proxy_for(base_url)
    with bare():
        try:
            verify = _certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        except OSError:
            raise ConnectError(
                "The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read.", code="tls"
            ) from None
        try:
            return ConnectingTransport(
                urlsplit(proxy or base_url).hostname or "",
                verify=verify,
                proxy=proxy,
                limits=httpx.Limits(keepalive_expiry=_KEEPALIVE_EXPIRY),
                retries=0,
            )
        except (httpx.InvalidURL, ValueError, ImportError):
            raise ConnectError(
                f"The proxy that the environment names for {host} cannot be used: it must be "
                "http://host:port or https://host:port. Look at HTTPS_PROXY and ALL_PROXY.",
                code="proxy",
            ) from None


@lru_cache(maxsize=4)
def _certificates(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Read once in a run: that takes as long as three frames, and each place that is asked has a client."""
    return httpx.create_ssl_context(trust_env=True)


def proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for this URL, or `None`."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    return proxy or None


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
