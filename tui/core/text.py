"""The one boundary between foreign text and the terminal.

Text from a model, a user, a file name, a server or a tool is data. Textual, rich and the terminal
pass control characters on as they are (an OSC 52 in an answer writes the clipboard), so everything
that is drawn goes through `visible` or `visible_line` first. Printable text comes back unchanged.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["printable", "storable", "visible", "visible_line"]

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

# C0 and DEL have pictures of their own (U+2400 ..); C1, bidirectional embeddings, overrides and
# isolates, line and paragraph separators and lone surrogates have none that is one cell wide.
_PICTURES: Final[dict[int, str]] = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "\N{SYMBOL FOR DELETE}",
    **dict.fromkeys(range(0x80, 0xA0), _REPLACEMENT),
    **dict.fromkeys(range(0x202A, 0x202F), _REPLACEMENT),
    **dict.fromkeys(range(0x2066, 0x206A), _REPLACEMENT),
    0x2028: "\N{SYMBOL FOR NEWLINE}",
    0x2029: "\N{SYMBOL FOR NEWLINE}",
    0xFEFF: "",
}
_LINE: Final = dict(_PICTURES)
_BLOCK: Final = {code: sign for code, sign in _PICTURES.items() if code not in (0x09, 0x0A)}

_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_UNSAFE_IN_LINE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    r"""Return `text` with every control shown as a symbol; `\n` and `\t` stay, `\r\n` becomes `\n`."""
    if not _UNSAFE.search(text):
        return text
    return _SURROGATE.sub(_REPLACEMENT, text.replace("\r\n", "\n").translate(_BLOCK))


def visible_line(text: str) -> str:
    r"""Return `text` for a place that holds one line: as `visible`, and `\n`, `\r`, `\t` as symbols."""
    if not _UNSAFE_IN_LINE.search(text):
        return text
    return _SURROGATE.sub(_REPLACEMENT, text.translate(_LINE))


def printable(text: str, terminal: bool) -> str:
    """Return `text` for an output: as `visible` for a terminal, as it is (`storable`) through a pipe."""
    return visible(text) if terminal else storable(text)


def storable(text: str) -> str:
    """Return `text` without lone surrogates, which UTF-8 (files, SQLite, HTTP) cannot carry."""
    return _SURROGATE.sub(_REPLACEMENT, text) if _SURROGATE.search(text) else text
