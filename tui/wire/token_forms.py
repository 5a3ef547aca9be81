"""How a secret may be written where a server echoes it: the forms that the records must not hold."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

__all__ = ["MASK", "Form", "forms_of"]

MASK: Final = "[token]"

_ANCHOR: Final = 8

_CORE: Final = 96
"""A search takes the shorter the longer that is which is looked for; from here on little."""

_ROW: Final = re.compile(rb"[A-Za-z0-9]+")
_ESCAPED_ALONE: Final = (b"/", b'"', b"\\")
"""What JSON may write with a backslash before it."""

_Spellings = tuple[bytes, ...]
"""How one character of a form may be written, the plain one first."""


class Form:
    r"""One way to write the secret: its characters in order, each in any of its spellings.

    Args:
        characters: Those characters, as they are.
        spellings: Gives the spellings of each.
        mask: What is written in its place.

    Attributes:
        anchors: What it may begin with: where none of these is, the form is not.
        core: Letters and digits within it, the longest such row up to a limit. Without percent signs and
            `\u00`, which write letters otherwise, a text that lacks them does not hold the form.
        longest: Most bytes that it may take in such a text.
        mask: As given.
    """

    __slots__ = ("_characters", "_spellings", "anchors", "core", "longest", "mask")

    def __init__(self, characters: bytes, spellings: Callable[[int], _Spellings], mask: bytes) -> None:
        self._characters = characters
        self._spellings = spellings
        self.mask = mask
        plain = b""
        for character in characters[:_ANCHOR]:
            if character and not chr(character).isalnum():
                break
            plain += spellings(character)[0]
        first = spellings(characters[0])
        # Who escapes letters escapes the first one, too.
        self.anchors: _Spellings = (plain, *first[1:]) if plain else first
        self.core = max(_ROW.findall(characters), key=len, default=b"")[:_CORE]
        self.longest = len(characters) + sum(map(characters.count, _ESCAPED_ALONE))

    def match(self, data: bytes, at: int) -> int:
        """Where the form that begins at `at` ends; 0 if there is none, -1 if `data` ends within it."""
        size = len(data)
        places = [at]
        for spellings in map(self._spellings, self._characters):
            following: list[int] = []
            cut = False
            for place in places:
                for spelling in spellings:
                    if data.startswith(spelling, place):
                        following.append(place + len(spelling))
                    elif size - place < len(spelling) and spelling.startswith(data[place:]):
                        cut = True
            if not following:
                return -1 if cut else 0
            places = following
        return max(places)


def forms_of(secret: bytes) -> list[Form]:
    r"""The forms in which a secret is masked.

    As it is, percent-encoded and escaped as JSON may have it (a slash as `\/`, any character as `\u002f`), in
    one form, as these mix; as UTF-16 of either byte order; and, if it has at least 8 bytes, its base64 of
    either alphabet at each of the three alignments, likewise escaped, and its hexadecimal digits.
    """
    mask = MASK.encode()
    forms = [Form(secret, _spellings, mask), Form(_wide(secret), _as_it_is, _wide(mask))]
    if len(secret) >= _ANCHOR:
        digits = secret.hex()
        cases = {digits, digits.upper()}
        forms += (Form(each.encode(), _as_it_is, mask) for each in sorted(cases))
        forms += (Form(_base64_core(secret, shift), _base64_spellings, mask) for shift in range(3))
    return forms


def _wide(text: bytes) -> bytes:
    """UTF-16 of ASCII; without the outer zero byte it is the same in both byte orders."""
    return b"\0".join(bytes((character,)) for character in text)


def _as_it_is(character: int) -> _Spellings:
    return (bytes((character,)),)


@lru_cache(256)
def _spellings(character: int) -> _Spellings:
    found = [bytes((character,)), b"%%%02X" % character, b"\\u%04X" % character]
    found += [b"%%%02x" % character, b"\\u%04x" % character]
    if bytes((character,)) in _ESCAPED_ALONE:
        found.append(bytes((ord("\\"), character)))
    return tuple(dict.fromkeys(found))


@lru_cache(256)
def _base64_spellings(character: int) -> _Spellings:
    url_safe = {ord("+"): (b"-",), ord("/"): (b"_",)}
    return (*_spellings(character), *url_safe.get(character, ()))


def _base64_core(secret: bytes, shift: int) -> bytes:
    """The part of the secret's base64 that does not depend on what stands around it."""
    encoded = base64.b64encode(b"\0" * shift + secret)
    start = -(-shift * 4 // 3)
    whole = len(encoded) - (0 if (shift + len(secret)) % 3 == 0 else 4)
    return encoded[start:whole]
