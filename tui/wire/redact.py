"""Takes token and keys out of everything that goes to the records, in each form they could come in."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterator
from typing import Final

from tui.core.exchange import Headers
from tui.wire.signing import SIGNED, masked_signature
from tui.wire.token_forms import MASK, Form, forms_of

__all__ = ["MASK", "Redactor", "StreamRedactor", "TextRedactor", "masked_headers"]

# The embedded sandbox's token is a word of its answers, and published.
_NO_SECRETS: Final = frozenset({"", "sandbox"})

# Characters of a beginning that give nothing away: every short-term key begins with the same sixteen.
_HARMLESS: Final = 20
_HARMLESS_OF_KEYS: Final = 4  # `AKIA` or `ASIA`

_LEAST_CORE: Final = 8

_OTHERWISE: Final = ((b"%", b"%"), (b"\0", b"\0"), (b"\\", b"\\u00"))
"""Without these no letter of a secret is written otherwise than as itself, but in base64 or hexadecimal.

Before each of them what is found to be missing in no time.
"""
_LONGEST_ESCAPE: Final = 6

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
    """Masks secrets in each of their forms (`token_forms.forms_of`).

    Args:
        secret: The token; an empty one masks nothing.
        keys: What a signed request was signed with, and its signature.

    Attributes:
        masks: Whether there is a secret at all.
        harmless: How many characters of a beginning give nothing away.
        may_concern: Whether a text, or bytes read as Latin-1 (to look through a string takes half the time),
            could hold the secret or end in its beginning; of most it is seen at once that not.
    """

    __slots__ = ("_beginnings", "_doubtful", "_forms", "_may_hold", "harmless", "masks", "may_concern")

    def __init__(self, secret: str, *keys: str) -> None:
        secrets = [text for text in (secret, *keys) if text not in _NO_SECRETS]
        self.masks = bool(secrets)
        self.harmless = _HARMLESS_OF_KEYS if keys else _HARMLESS
        self._forms = [form for text in secrets for form in forms_of(text.encode())]
        anchors = sorted({anchor.decode("latin-1") for form in self._forms for anchor in form.anchors})
        self._may_hold = _look_for(anchors, (), frozenset())
        short = {anchor[:length] for anchor in anchors for length in range(1, len(anchor))}
        # The longest first: that is the one to hold back.
        self._beginnings = tuple(sorted(short, key=len, reverse=True))
        last = frozenset(beginning[-1] for beginning in short)
        self.may_concern = _look_for(anchors, self._beginnings, last)
        self._doubtful = _doubt(self._forms)

    def __repr__(self) -> str:
        return "Redactor()"

    def bytes(self, data: bytes) -> bytes:
        """Return `data` with the secret masked."""
        return self._masked(data)[0] if self._may_hold(str(self._doubtful(data), "latin-1")) else data

    def passes(self, data: builtins.bytes) -> bool:
        """Whether the bytes hold no secret and do not end in its beginning; for many of them."""
        return not self.masks or not self.may_concern(str(self._doubtful(data), "latin-1"))

    def text(self, text: str) -> str:
        """Return `text` with the secret masked."""
        if not self._may_hold(text):
            return text
        return self._masked(text.encode("utf-8", "surrogatepass"))[0].decode("utf-8", "surrogatepass")

    def split(self, data: builtins.bytes) -> tuple[builtins.bytes, builtins.bytes]:
        """Mask the secret; returns what is certain, and the end that could be a beginning of the secret."""
        text = str(self._doubtful(data), "latin-1")
        held = 0
        if self._may_hold(text):
            data, held = self._masked(data)
            text = str(data, "latin-1")
        if not held and text.endswith(self._beginnings):
            held = next(len(beginning) for beginning in self._beginnings if text.endswith(beginning))
        cut = len(data) - held
        return data[:cut], data[cut:]

    def _masked(self, data: builtins.bytes) -> tuple[builtins.bytes, int]:
        """`data` with whole secrets masked, and how many bytes at its end begin one."""
        found = (
            (at, form) for form in self._forms for anchor in form.anchors for at in _places(data, anchor)
        )
        parts: list[builtins.bytes] = []
        done = held = 0
        for at, form in sorted(found, key=lambda place: place[0]):
            if at < done:
                continue
            end = form.match(data, at)
            if end > 0:
                parts += [data[done:at], form.mask]
                done = end
            elif end < 0:
                held = max(held, len(data) - at)
        parts.append(data[done:])
        return b"".join(parts), min(held, len(data) - done)


class StreamRedactor:
    """Masks the secret in a stream, also where the cut between two pieces goes through it."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._tail = b""

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece; return what is certain by now."""
        if self.passes(piece):
            return piece
        certain, self._tail = self._redactor.split(self._tail + piece)
        return certain

    def passes(self, data: bytes) -> bool:
        """Whether `feed` would return just these bytes, and hold nothing back."""
        return not self._tail and self._redactor.passes(data)

    def finish(self) -> bytes:
        """Return what was held back, masked where it tells something of the secret."""
        tail, self._tail = self._tail, b""
        return tail if len(tail) <= self._redactor.harmless else MASK.encode()


class TextRedactor:
    """Masks the secret in text that comes in deltas, where the events' frames stand between its pieces.

    Nothing of ordinary text waits: a beginning of the secret is let through as far as it is harmless.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._tail = ""
        self._shown = 0

    @property
    def waits(self) -> bool:
        """Whether the text so far ends in a beginning of the secret."""
        return bool(self._tail)

    def feed(self, delta: str) -> str:
        """Take the next delta; return what can be shown by now."""
        if not self._tail and not self._redactor.may_concern(delta):
            return delta
        certain, tail = self._redactor.split((self._tail + delta).encode("utf-8", "surrogatepass"))
        before = self._tail[: self._shown]
        # A beginning of the secret is ASCII: as many characters as bytes.
        self._tail = tail.decode("ascii")
        self._shown = min(len(tail), self._redactor.harmless)
        shown = certain.decode("utf-8", "surrogatepass") + self._tail[: self._shown]
        return shown[len(before) :] if shown.startswith(before) else shown

    def finish(self) -> str:
        """Return what stands for a beginning that was never completed."""
        rest, self._tail = self._tail[self._shown :], ""
        return MASK if rest else ""


def masked_headers(raw: list[tuple[bytes, bytes]], redactor: Redactor) -> Headers:
    """Header pairs as text: values that are secrets by name are masked whole, the token everywhere.

    A signature's header keeps its scope and the names of what was signed.
    """
    pairs: list[tuple[str, str]] = []
    for name, value in raw:
        key = name.decode("latin-1")
        if key.lower() == "authorization" and value[:7].lower() == b"bearer ":
            pairs.append((key, f"Bearer {MASK}"))
        elif key.lower() == "authorization" and value.startswith(SIGNED):
            pairs.append((key, masked_signature(redactor.bytes(value).decode("latin-1"))))
        elif key.lower() in _SECRET_HEADERS:
            pairs.append((key, MASK))
        else:
            pairs.append((key, redactor.bytes(value).decode("latin-1")))
    return tuple(pairs)


def _look_for(anchors: list[str], endings: tuple[str, ...], last: frozenset[str]) -> Callable[[str], bool]:
    """A function that says whether any of the anchors is in a text, or an ending at its end.

    It runs for each piece of a stream, so that it is one call.

    Args:
        anchors: What is looked for.
        endings: What a text may end in.
        last: The last characters of these.
    """
    # Those begin alike: an expression finds all of them in a tenth of the time that one search each takes.
    escaped = [anchor for anchor in anchors if anchor[0] == "\\"]
    percent = [anchor for anchor in anchors if anchor[0] == "%"]
    in_escapes, in_percent = _any_of(escaped), _any_of(percent)
    wide = [anchor for anchor in anchors if "\0" in anchor]
    plain = [anchor for anchor in anchors if anchor not in (*escaped, *percent, *wide)]
    if not plain:
        return lambda _: False
    # One of the text, three of base64 and two of hexadecimal digits: names take less time than a loop.
    one, two, three, four, five, six = (plain * 6)[:6]
    more = plain[6:]

    def holds(text: str) -> bool:
        return (
            one in text
            or two in text
            or three in text
            or four in text
            or five in text
            or six in text
            or ("\\" in text and in_escapes(text) is not None)
            or ("%" in text and in_percent(text) is not None)
            or ("\0" in text and any(anchor in text for anchor in wide))
            or (bool(more) and any(anchor in text for anchor in more))
            or (text[-1:] in last and text.endswith(endings))
        )

    return holds


def _doubt(forms: list[Form]) -> Callable[[bytes], bytes]:
    """A function that returns what must be looked through of bytes: all of them, or a part at their end.

    What holds a form whole holds its core, which is long and so found fast; what is cut at the end begins
    near it. Where letters may be escaped, or where there is no core to speak of, all is looked through.
    """
    cores = {form.core for form in forms if b"\0" not in form.anchors[0]}
    all_have_one = min(map(len, cores), default=0) >= _LEAST_CORE
    near_the_end = max((form.longest for form in forms), default=0) + _LONGEST_ESCAPE

    def doubtful(data: bytes) -> bytes:
        if (
            not all_have_one
            or len(data) <= near_the_end
            or any(sign in data and escape in data for sign, escape in _OTHERWISE)
            or any(core in data for core in cores)
        ):
            return data
        return data[-near_the_end:]

    return doubtful


def _any_of(anchors: list[str]) -> Callable[[str], re.Match[str] | None]:
    """The search for any of these; without any, what finds nothing."""
    return re.compile("|".join(map(re.escape, anchors)) or "(?!)").search


def _places(data: bytes, anchor: bytes) -> Iterator[int]:
    at = data.find(anchor)
    while at >= 0:
        yield at
        at = data.find(anchor, at + 1)
