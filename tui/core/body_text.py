"""A request body as a text to edit, and back: indented, with long opaque strings out of the way.

Only blanks are added and taken away again, and strings are put aside whole: numbers keep their spelling and
names their order, so that a body that was not changed comes back as the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tui.core import figures
from tui.core.data_url import folded

__all__ = ["EditableBody", "guarded"]

_TOKEN: Final = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"' r"|[{}\[\],:]" r'|[^\s{}\[\],:"]+' r'|"',
    re.DOTALL,
)
_LONG: Final = 300
"""Characters from which a string without a blank is put aside: base64, encrypted reasoning."""

_ASIDE: Final = re.compile(r'"‹kept (\d+)(?: [^"\\]*)?"')
_DIGITS: Final = 12
# What a terminal would act on and a JSON string may hold as it is; blanks and C0 it cannot hold.
_ACTED_ON: Final = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]")
_ESCAPE: Final = re.compile(r"\\\\|\\u([0-9a-f]{4})")


def guarded(text: str) -> str:
    """A JSON text with what a terminal would act on as escapes: equal as JSON, safe to draw."""
    return _ACTED_ON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _unguarded(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if _is_guard(match) else match[0], text)


def _is_guard(match: re.Match[str]) -> bool:
    return match[1] is not None and bool(_ACTED_ON.match(chr(int(match[1], 16))))


@dataclass(frozen=True, slots=True)
class EditableBody:
    """A body to be edited.

    Attributes:
        text: What is edited; `‹kept 1 …›` stands for a string that was put aside.
        compact: Whether the body had no blanks between its tokens, so that none are sent again.
        guards: Whether characters were escaped for the terminal alone, and are sent as they were.
        aside: The strings that were put aside, as they stand in JSON, by number.
    """

    text: str
    compact: bool
    guards: bool = False
    aside: Mapping[int, str] = field(default_factory=dict[int, str], repr=False)

    @classmethod
    def of(cls, body: bytes) -> EditableBody:
        """Read a recorded body; one that is no JSON is shown as it is. Large ones off the event loop."""
        text = body.decode("utf-8", "replace")
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return cls(guarded(text), compact=False)
        tokens = list(_tokens(text))
        aside: dict[int, str] = {}
        shown = [_put_aside(token, aside) for token in tokens]
        compact = "".join(tokens) == text
        guards = bool(_ACTED_ON.search(text)) and not any(map(_is_guard, _ESCAPE.finditer(text)))
        if compact:
            return cls(guarded("".join(_indented(shown))), True, guards, aside)
        for token, instead in zip(tokens, shown, strict=True):
            if instead is not token:
                text = text.replace(token, instead)
        return cls(guarded(text), False, guards, aside)

    def body(self, text: str) -> bytes:
        """The bytes that an edited text is sent as; what was put aside is put back."""
        if self.compact:
            text = "".join(_tokens(text))
        if self.guards:
            text = _unguarded(text)
        if self.aside:
            text = _ASIDE.sub(lambda match: self.aside.get(int(match[1]), match[0]), text)
        return text.encode("utf-8", "replace")

    def unknown(self, text: str) -> str:
        """A mark in the text for which nothing was put aside; empty when there is none."""
        for match in _ASIDE.finditer(text):
            if int(match[1]) not in self.aside:
                return match[0]
        return ""


def _tokens(text: str) -> Iterator[str]:
    """Strings, signs and literals, without the blanks between them; what is no JSON comes as it is."""
    return (match[0] for match in _TOKEN.finditer(text))


def _put_aside(token: str, aside: dict[int, str]) -> str:
    if len(token) < _LONG or token[0] != '"' or " " in token:
        return token
    known = next((number for number, other in aside.items() if other == token), None)
    number = len(aside) + 1 if known is None else known
    aside[number] = token
    data = folded(token[1:-1])
    if data is not None:
        words = f"{data.media_type}, {figures.size(data.size)}, sha256 {data.sha256[:_DIGITS]}"
    else:
        digest = hashlib.sha256(token[1:-1].encode("utf-8", "replace")).hexdigest()
        words = f"{len(token) - 2:,} characters, sha256 {digest[:_DIGITS]}"
    return f'"‹kept {number} {words}›"'


def _indented(tokens: list[str]) -> Iterator[str]:
    depth = 0
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else ""
        if token in ("}", "]"):
            depth -= 1
            yield "" if before in ("{", "[") else "\n" + "  " * depth
        elif before in ("{", "[", ","):
            yield "\n" + "  " * depth
        yield token
        if token in ("{", "["):
            depth += 1
        elif token == ":":
            yield " "
