"""What differs between two answers: word by word, or by JSON path where both are JSON."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from tui.core.json_diff import Change, json_changes

__all__ = ["Difference", "Piece", "difference", "marked"]

Kind = Literal["same", "removed", "added"]

_MOST_CELLS: Final = 100_000_000
"""Words of one answer times those of the other up to which they are aligned; beyond, line by line."""

_WORD: Final = re.compile(r"\w+\s*|[^\w\s]+\s*|\s+")
_LINE: Final = re.compile(r"[^\n]*\n+|[^\n]+")
_MARKS: Final[dict[Kind, tuple[str, str]]] = {
    "same": ("", ""),
    "removed": ("[-", "-]"),
    "added": ("{+", "+}"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that stands in both answers, in the first alone, or in the second alone.

    Attributes:
        kind: Which of the three.
        text: As it stands there; spaces in both are the wider ones.
    """

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Two answers compared.

    Attributes:
        pieces: The words in order; empty where both answers are JSON.
        changes: The values that differ; `None` where one of the answers is no JSON.
        same: Which share of the words of both stands in both, 0 to 1; `None` for JSON, or without words.
    """

    pieces: tuple[Piece, ...] = ()
    changes: tuple[Change, ...] | None = None
    same: float | None = None

    @property
    def is_none(self) -> bool:
        """Whether both say the same."""
        return not self.changes and all(piece.kind == "same" for piece in self.pieces)

    @property
    def words(self) -> str:
        """How much differs, in a few words."""
        if self.changes is not None:
            count = len(self.changes)
            return (
                "the same JSON"
                if not count
                else f"{count} value{'s' * (count != 1)} differ{'s' * (count == 1)}"
            )
        if self.is_none:
            return "the same words"
        # Never "100 %" where something differs.
        share = min(99, round((self.same or 0) * 100))
        return f"{share} % of the words are the same"


def difference(old: str, new: str) -> Difference:
    """Compare two answers; spaces and line breaks alone make no difference.

    Two long ones take up to a second: call it off the event loop.
    """
    one, other = _json(old), _json(new)
    if one is not None and other is not None:
        return Difference(changes=tuple(json_changes(one, other)))
    left, right = _WORD.findall(old), _WORD.findall(new)
    total = len(left) + len(right)
    head, tail = _common(left, right)
    middle, other_middle = left[head : len(left) - tail], right[head : len(right) - tail]
    if len(middle) * len(other_middle) > _MOST_CELLS:
        middle, other_middle = (_LINE.findall("".join(words)) for words in (middle, other_middle))
    ends = [len(left) - tail, len(right) - tail]
    pieces = list(
        _joined(
            (
                _same(left[:head], right[:head]),
                *_aligned(middle, other_middle),
                _same(left[ends[0] :], right[ends[1] :]),
            )
        )
    )
    shared = sum(len(_WORD.findall(piece.text)) for piece in pieces if piece.kind == "same")
    return Difference(tuple(pieces), same=min(1.0, 2 * shared / total) if total else None)


def _json(text: str) -> Any:
    """The object or array that a text is; a number or a word alone is prose. `None` for anything else."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _common(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many words both begin with, and end with."""
    least = min(len(old), len(new))
    head = 0
    while head < least and old[head].strip() == new[head].strip():
        head += 1
    tail = 0
    while tail < least - head and old[-1 - tail].strip() == new[-1 - tail].strip():
        tail += 1
    return head, tail


def _same(old: Sequence[str], new: Sequence[str]) -> Piece:
    """Equal words, with the wider of both spaces: a word that only one answer has may come between."""
    pairs = zip(old, new, strict=True)
    return Piece("same", "".join(one if len(one) > len(other) else other for one, other in pairs))


def _aligned(old: Sequence[str], new: Sequence[str]) -> Iterator[Piece]:
    left, right = [token.strip() for token in old], [token.strip() for token in new]
    # Of long texts, words that are everywhere align nothing: that is what autojunk passes over.
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=True)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            yield _same(old[i1:i2], new[j1:j2])
            continue
        gone, come = "".join(old[i1:i2]), "".join(new[j1:j2])
        if gone.strip() or come.strip():
            yield Piece("removed", gone)
            yield Piece("added", come)
        else:
            yield Piece("same", come)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Without empty ones, and equal kinds in a row as one."""
    kept: Piece | None = None
    for piece in pieces:
        if not piece.text:
            continue
        if kept is not None and kept.kind == piece.kind:
            kept = Piece(kept.kind, kept.text + piece.text)
            continue
        if kept is not None:
            yield kept
        kept = piece
    if kept is not None:
        yield kept


def marked(piece: Piece) -> Iterator[tuple[Kind, str]]:
    """The piece as it is written without colours, line by line: `[-removed-]`, `{+added+}`.

    The marks stand within a line, spaces around them outside; a line break is a text of its own.
    """
    begin, end = _MARKS[piece.kind]
    for part in re.split(r"(\n)", piece.text):
        core = part.strip(" \t\r")
        if piece.kind == "same" or part == "\n" or not core:
            if part:
                yield ("same", part)
            continue
        start = part.index(core)
        if start:
            yield ("same", part[:start])
        yield (piece.kind, f"{begin}{core}{end}")
        if after := part[start + len(core) :]:
            yield ("same", after)
