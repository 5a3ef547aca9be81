"""Bodies that come packed although none was asked for: unpacked before they are recorded.

What is packed cannot be masked: an echo of the token would lie in the records, and whoever unpacks them has
it. So the records hold such a body unpacked, and one that cannot be unpacked not at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import httpx

from tui.core.exchange import UNPACKED_HEADER, Headers

__all__ = ["can_be_unpacked", "encodings", "handed_on", "recorded_as", "unpacked"]

_KNOWN: Final = frozenset({"gzip", "deflate"})
_LENGTH: Final = "content-length"
_ENCODING: Final = "content-encoding"


def encodings(headers: httpx.Headers) -> list[str]:
    """How a body is packed, the first step first; empty where it is not."""
    names = (name.strip().lower() for name in headers.get(_ENCODING, "").split(","))
    return [name for name in names if name not in ("", "identity")]


def can_be_unpacked(headers: httpx.Headers) -> bool:
    """Whether a body can be read, packed or not."""
    return _KNOWN.issuperset(encodings(headers))


def recorded_as(headers: Headers, response: httpx.Response) -> Headers:
    """The headers of a response as they are recorded: what is unpacked is said to have been packed."""
    if not encodings(response.headers) or not can_be_unpacked(response.headers):
        return headers
    return tuple((UNPACKED_HEADER if name.lower() == _ENCODING else name, value) for name, value in headers)


def handed_on(headers: Headers) -> list[tuple[bytes, bytes]]:
    """The recorded headers as they go on to the SDK; a length is that of a packed body."""
    packed = any(name == UNPACKED_HEADER for name, _ in headers)
    return [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in headers
        if not (packed and name.lower() == _LENGTH)
    ]


def unpacked(response: httpx.Response) -> httpx.AsyncByteStream:
    """The body of a response that has not been read, unpacked; empty where it cannot be."""
    inner = response.stream
    assert isinstance(inner, httpx.AsyncByteStream)
    if not encodings(response.headers):
        return inner
    return _Unpacked(inner, response.headers if can_be_unpacked(response.headers) else None)


class _Unpacked(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, headers: httpx.Headers | None) -> None:
        self._inner = inner
        self._headers = headers

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._headers is None:
            return
        async for piece in httpx.Response(200, headers=self._headers, stream=self._inner).aiter_bytes():
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
