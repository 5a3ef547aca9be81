"""A request as the text of HTTP, and its body as it is."""

from __future__ import annotations

from urllib.parse import urlsplit

from tui.core.exchange import Exchange
from tui.core.export.request import TOKEN_VARIABLE, Export, Unsupported
from tui.core.export.signed import shown_authorization

__all__ = ["as_http", "as_json", "shown_headers"]


def shown_headers(exchange: Exchange) -> list[tuple[str, str]]:
    """Every header of the request as it was sent; where a secret was, the variable that holds it."""
    return [
        (name, shown_authorization(name, value, TOKEN_VARIABLE)) for name, value in exchange.request_headers
    ]


def as_http(exchange: Exchange) -> Export:
    """The request as HTTP/1.1 writes it: start line, headers, an empty line, the body."""
    parts = urlsplit(exchange.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{exchange.method} {target} HTTP/1.1"]
    headers = shown_headers(exchange)
    if not any(name.lower() == "host" for name, _ in headers):
        headers.insert(0, ("Host", parts.netloc))
    lines += [f"{name}: {value}" for name, value in headers]
    # Header values are Latin-1 on the wire, and were read as such.
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    return Export(head + exchange.request_body, "http")


def as_json(exchange: Exchange) -> Export:
    """The body, byte for byte.

    Raises:
        Unsupported: The request had none.
    """
    if not exchange.sent:
        raise Unsupported(f"This request ({exchange.method}) has no body.")
    return Export(exchange.request_body, "json")
