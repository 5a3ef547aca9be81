"""A request body as it was sent, and its outline: the same text with its large files left out.

Nearly all of a large body is base64 of files. What reads the body's structure reads the outline, in which
`‹… characters of base64 …›` stands for each; equal files have equal words there.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tui.core.data_url import STAND_IN, count_kept, stand_in
from tui.core.json_places import Place, byte_ranges

__all__ = ["Outline", "RequestBody", "outlined", "outlined_text"]

_SMALLEST: Final = 32_768
"""Characters of base64 from which words stand for it."""

_STEP: Final = 1 << 20
"""Bytes searched at a time: other threads run in between."""

_MARK: Final = b";base64,"


@dataclass(frozen=True, slots=True)
class _Part:
    """Base64 that is left out: where it stands in the body, and where its words stand in the outline."""

    start: int
    end: int
    at: int
    to: int


@dataclass(frozen=True, slots=True)
class Outline:
    """A body without its large files.

    Attributes:
        data: The outline, UTF-8.
        parts: What was left out, in order.
    """

    data: bytes
    parts: tuple[_Part, ...] = ()

    @property
    def text(self) -> str:
        r"""The outline as text; bytes that are no UTF-8 show as `\xNN`."""
        return self.data.decode("utf-8", "backslashreplace")

    def ranges(self, places: Sequence[Place]) -> list[tuple[int, int]]:
        """Places in the outline's text as ranges of bytes of the whole body; they must be in order."""
        ends = [part.to for part in self.parts]

        def whole(at: int) -> int:
            before = bisect_right(ends, at)
            return at + (self.parts[before - 1].end - self.parts[before - 1].to if before else 0)

        text = self.data.decode("utf-8", "replace")
        return [(whole(start), whole(end)) for start, end in byte_ranges(text, places)]


class RequestBody:
    """A request body: here, or fetched whenever it is asked for.

    Args:
        data: The body.
        fetch: Reads it from where it is kept; `data` is not used then.
        size: Its bytes, where it is fetched; `None` when that is not known before.
    """

    __slots__ = ("_data", "_fetch", "_outline", "_size")

    def __init__(
        self, data: bytes = b"", *, fetch: Callable[[], bytes] | None = None, size: int | None = None
    ) -> None:
        self._data = data
        self._fetch = fetch
        self._size = len(data) if fetch is None else size
        self._outline: Outline | None = None

    def __len__(self) -> int:
        """Bytes."""
        if self._size is None:
            self._size = len(self.data)
        return self._size

    @property
    def data(self) -> bytes:
        """The body. Off the event loop, where it may be large.

        Raises:
            StoreError: It cannot be fetched, or is no longer kept.
        """
        return self._data if self._fetch is None else _FETCHED.of(self, self._fetch)

    @property
    def outline(self) -> Outline:
        """Its outline, made once; off the event loop."""
        if self._outline is None:
            self._outline = _outline_of(self.data)
        return self._outline

    def count_files(self) -> bool:
        """Find the digests of the large files that nobody has found yet; returns whether there were any."""
        counted = False
        for part in self.outline.parts:
            words = self.outline.data[part.at : part.to].decode()
            counted |= count_kept(words, lambda part=part: self.data[part.start : part.end])
        return counted

    def restored(self, text: str) -> str:
        """A piece of the outline's text as it stands in the body."""
        parts = {self.outline.data[part.at : part.to].decode(): part for part in self.outline.parts}
        if not parts or not STAND_IN.search(text):
            return text
        whole = self.data

        def base64_of(words: str) -> str:
            part = parts.get(words)
            return words if part is None else whole[part.start : part.end].decode("ascii")

        return STAND_IN.sub(lambda match: base64_of(match[0]), text)


class _Fetched:
    """The bodies that were fetched last: a page asks for the same ones several times."""

    def __init__(self) -> None:
        self._last: deque[tuple[RequestBody, bytes]] = deque(maxlen=2)
        self._lock = threading.Lock()

    def of(self, body: RequestBody, fetch: Callable[[], bytes]) -> bytes:
        with self._lock:
            known = next((data for other, data in self._last if other is body), None)
            if known is None:
                known = fetch()
                self._last.append((body, known))
        return known


_FETCHED: Final = _Fetched()


def outlined(value: object) -> object:
    """A JSON value with words in the place of its large files, as its outline has them."""
    if isinstance(value, str):
        return outlined_text(value)
    if isinstance(value, dict):
        return {name: outlined(inner) for name, inner in value.items()}  # pyright: ignore
    if isinstance(value, list):
        return [outlined(inner) for inner in value]  # pyright: ignore
    return value


def outlined_text(text: str) -> str:
    """A text likewise."""
    if len(text) < _SMALLEST:
        return text
    data = text.encode("utf-8", "surrogatepass")
    return _outline_of(data).data.decode("utf-8", "surrogatepass")


def _outline_of(body: bytes) -> Outline:
    pieces: list[bytes] = []
    parts: list[_Part] = []
    done = size = 0
    view = memoryview(body)
    at = _next_mark(body, 0)
    while at >= 0:
        start = at + len(_MARK)
        end = body.find(b'"', start)
        end = len(body) if end < 0 else end
        if end - start >= _SMALLEST and body.find(b"\\", start, end) < 0:
            octets = (end - start) * 3 // 4 - body[end - 2 : end].count(b"=")
            # As long as it takes, other threads run: hashing lets them.
            digest = hashlib.sha256(view[start:end]).hexdigest()
            words = stand_in(end - start, octets, digest).encode()
            pieces += [body[done:start], words]
            size += start - done
            parts.append(_Part(start, end, size, size + len(words)))
            size += len(words)
            done = end
        at = _next_mark(body, end)
    if not parts:
        return Outline(body)
    return Outline(b"".join([*pieces, body[done:]]), tuple(parts))


def _next_mark(body: bytes, at: int) -> int:
    while at < len(body):
        found = body.find(_MARK, at, at + _STEP + len(_MARK))
        if found >= 0:
            return found
        at += _STEP
    return -1
