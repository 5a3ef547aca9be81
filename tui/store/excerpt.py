"""The words around a hit, for lists of search results."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

__all__ = ["excerpt_of"]

_BEFORE: Final = 40
_SIZE: Final = 120
_BLANKS: Final = re.compile(r"\s+")


def excerpt_of(texts: Sequence[str], words: Sequence[str]) -> str:
    """The piece of the first of these texts that holds the words; the one with most of them.

    Args:
        texts: Of a turn: what was asked, and the answer.
        words: As typed; accents and case do not matter, and the last one may be unfinished.
    """
    patterns = [
        re.compile(rf"(?<!\w){re.escape(_folded(word))}" + ("" if word is words[-1] else r"(?!\w)"))
        for word in words
    ]
    best, place, most = "", 0, 0
    for text in texts:
        folded = _folded(text)
        found = [match.start() for pattern in patterns if (match := pattern.search(folded)) is not None]
        if len(found) > most:
            best, place, most = text, min(found), len(found)
    if not best:
        return next((_cut(text, 0) for text in texts if text), "")
    return _cut(best, place)


def _folded(text: str) -> str:
    """Lower case without accents, each character in its place."""
    if text.isascii():
        return text.lower()
    return "".join(_base(char) for char in text)


def _base(char: str) -> str:
    folded = unicodedata.normalize("NFKD", char)[0].lower()
    return folded if len(folded) == 1 else char


def _cut(text: str, place: int) -> str:
    start = max(0, place - _BEFORE)
    if start:
        # Not in the middle of a word, unless it is a very long one.
        start = next((at + 1 for at in range(start, place) if text[at].isspace()), start)
    end = min(len(text), start + _SIZE)
    if end < len(text):
        end = next((at for at in range(end, max(place + 1, end - _BEFORE), -1) if text[at].isspace()), end)
    piece = _BLANKS.sub(" ", text[start:end]).strip()
    return ("…" if start else "") + piece + ("…" if end < len(text) else "")
