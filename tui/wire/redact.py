"""Takes the bearer token out of everything that goes to the records, in each form it could come in."""

from __future__ import annotations

import base64
import builtins
import re
from typing import Final
from urllib.parse import quote

from tui.core.exchange import Headers

__all__ = ["MASK", "Redactor", "StreamRedactor", "TextRedactor", "masked_headers"]

MASK: Final = "[token]"

# The embedded sandbox's token is a word of its answers, and published.
_NO_SECRETS: Final = frozenset({"sandbox"})

_ANCHOR: Final = 8

# Characters of a beginning that give nothing away: every short-term key begins with the same sixteen.
_HARMLESS: Final = 20

_SECRET_HEADERS: Final = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-amz-security-token",
        "x-api-key",
        "api-key",
    }
)


class Redactor:
    """Masks one secret: as it is, URL-encoded, and base64-encoded at each of the three alignments.

    Args:
        secret: The token; an empty one masks nothing.
    """

    __slots__ = ("_anchors", "_beginnings", "_last_bytes", "_needles")

    def __init__(self, secret: str) -> None:
        if secret in _NO_SECRETS:
            secret = ""
        plain = {secret.encode(), *_base64_forms(secret.encode())}
        url_encoded = quote(secret, safe="")
        # A server may write a slash in JSON as \\/, and hex digits of %2F in either case.
        forms = {form.replace(b"/", rb"\/") for form in plain} | plain
        forms |= {url_encoded.encode(), _lower_hex(url_encoded).encode()}
        # Longer ones first, so that no form is masked in the middle of a longer one.
        self._needles = sorted((form for form in forms if form), key=len, reverse=True)
        # What every form begins with: where none of these is, none of the forms is.
        self._anchors = tuple({form[:_ANCHOR] for form in self._needles})
        short = {form[:length] for form in self._needles for length in range(1, min(_ANCHOR, len(form)))}
        self._beginnings = tuple(sorted(short, key=len, reverse=True))
        self._last_bytes = frozenset(beginning[-1] for beginning in short)

    def __repr__(self) -> str:
        return "Redactor()"

    def bytes(self, data: bytes) -> bytes:
        """Return `data` with the secret masked."""
        if not self._may_hold(data):
            return data
        for needle in self._needles:
            if needle in data:
                data = data.replace(needle, MASK.encode())
        return data

    def _may_hold(self, data: builtins.bytes) -> bool:
        return any(map(data.__contains__, self._anchors))

    def text(self, text: str) -> str:
        """Return `text` with the secret masked."""
        return self.bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def may_concern(self, data: builtins.bytes) -> bool:
        """Whether data could hold the secret or end in its beginning; of most it is seen at once that not."""
        for anchor in self._anchors:
            if anchor in data:
                return True
        return bool(data) and data[-1] in self._last_bytes and data.endswith(self._beginnings)

    @property
    def masks(self) -> bool:
        """Whether there is a secret at all."""
        return bool(self._needles)

    def held_back(self, data: bytes) -> int:
        """How many bytes at the end of `data` could be the beginning of the secret."""
        if not self._may_hold(data):
            # Too short for an anchor, then, if anything; the longest beginnings come first.
            if not data.endswith(self._beginnings):
                return 0
            return next(len(beginning) for beginning in self._beginnings if data.endswith(beginning))
        held = 0
        for needle in self._needles:
            for length in range(min(_ANCHOR, len(needle)) - 1, held, -1):
                if data.endswith(needle[:length]):
                    held = length
                    break
            # Longer beginnings start with the anchor, which hardly ever occurs: one search instead of a loop.
            at = data.find(needle[:_ANCHOR], max(0, len(data) - len(needle) + 1))
            while at != -1:
                if needle.startswith(data[at:]):
                    held = max(held, len(data) - at)
                    break
                at = data.find(needle[:_ANCHOR], at + 1)
        return held


class StreamRedactor:
    """Masks the secret in a stream, also where the cut between two pieces goes through it."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._tail = b""

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece; return what is certain by now."""
        if not self._tail and not self._redactor.may_concern(piece):
            return piece
        data = self._redactor.bytes(self._tail + piece)
        held = self._redactor.held_back(data)
        self._tail = data[len(data) - held :]
        return data[: len(data) - held]

    def finish(self) -> bytes:
        """Return what was held back."""
        tail, self._tail = self._tail, b""
        return tail


class TextRedactor:
    """Masks the secret in text that comes in deltas, where the events' frames stand between its pieces.

    Nothing of ordinary text waits: a beginning of the secret is let through as far as it is harmless.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._tail = ""
        self._shown = 0

    def feed(self, delta: str) -> str:
        """Take the next delta; return what can be shown by now."""
        redactor = self._redactor
        if not self._tail and not (
            redactor.masks and redactor.may_concern(delta.encode("utf-8", "surrogatepass"))
        ):
            return delta
        data = self._redactor.bytes((self._tail + delta).encode("utf-8", "surrogatepass"))
        held = self._redactor.held_back(data)
        text = data.decode("utf-8", "surrogatepass")
        before = self._tail[: self._shown]
        # A beginning of the secret is ASCII: as many characters as bytes.
        self._tail = text[len(text) - held :]
        self._shown = min(held, _HARMLESS)
        shown = text[: len(text) - held] + self._tail[: self._shown]
        return shown[len(before) :] if shown.startswith(before) else shown

    def finish(self) -> str:
        """Return what stands for a beginning that was never completed."""
        rest, self._tail = self._tail[self._shown :], ""
        return MASK if rest else ""


def masked_headers(raw: list[tuple[bytes, bytes]], redactor: Redactor) -> Headers:
    """Header pairs as text: values that are secrets by name are masked whole, the token everywhere."""
    pairs: list[tuple[str, str]] = []
    for name, value in raw:
        key = name.decode("latin-1")
        if key.lower() == "authorization" and value[:7].lower() == b"bearer ":
            pairs.append((key, f"Bearer {MASK}"))
        elif key.lower() in _SECRET_HEADERS:
            pairs.append((key, MASK))
        else:
            pairs.append((key, redactor.bytes(value).decode("latin-1")))
    return tuple(pairs)


def _lower_hex(url_encoded: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), url_encoded)


def _base64_forms(secret: bytes) -> list[bytes]:
    """The part of the secret's base64 that does not depend on what stands around it."""
    if len(secret) < 8:
        return []
    forms: list[bytes] = []
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + secret)
        start = -(-shift * 4 // 3)
        whole = len(encoded) - (0 if (shift + len(secret)) % 3 == 0 else 4)
        core = encoded[start:whole]
        forms.append(core)
        forms.append(core.replace(b"+", b"-").replace(b"/", b"_"))
    return forms
