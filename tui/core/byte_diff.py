"""What differs between two bodies as bytes: where it begins, and a unified diff that people can read."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

from tui.core.json_values import loads

__all__ = ["MOST_LINES", "ByteDiff", "Hunk", "byte_diff", "common_length", "readable_lines"]

_PIECE: Final = 1 << 16
_LONG: Final = 2000
MOST_LINES: Final = 40_000
"""Lines that differ in the middle of two texts up to which they are aligned line by line."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Neighbouring lines of a unified diff.

    Attributes:
        title: The `@@ … @@` line.
        lines: Each with ` `, `-` or `+` before it.
    """

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ByteDiff:
    """Two bodies compared as bytes.

    Attributes:
        offset: The first byte that differs, counted from 0; `None` when they are equal byte for byte. Where
            one is the beginning of the other, its length.
        old_size: Bytes of the first.
        new_size: Bytes of the second.
        hunks: A unified diff of both as indented JSON, or of their lines where one is no JSON. Long texts
            in it are cut, and counted with a digest.
    """

    offset: int | None
    old_size: int
    new_size: int
    hunks: tuple[Hunk, ...] = ()


def byte_diff(old: bytes, new: bytes, context: int = 3, outlines: tuple[str, str] | None = None) -> ByteDiff:
    """Compare two bodies as bytes.

    Args:
        old: The first.
        new: The second.
        context: Equal lines to show around what differs.
        outlines: The texts to show in their place (`request_body.Outline`); themselves by default.
    """
    if old == new:
        return ByteDiff(None, len(old), len(new))
    texts = outlines or (old.decode("utf-8", "backslashreplace"), new.decode("utf-8", "backslashreplace"))
    hunks = tuple(_hunks(readable_lines(texts[0]), readable_lines(texts[1]), context))
    return ByteDiff(common_length(old, new), len(old), len(new), hunks)


def readable_lines(text: str) -> list[str]:
    """A JSON text as indented lines, any other as its own; long texts are cut, and counted with a digest."""
    try:
        value = loads(text)
        return json.dumps(_digested(value), indent=2, ensure_ascii=False).split("\n")
    except (ValueError, RecursionError):
        return [_digested_text(line) for line in text.split("\n")]


def _digested(value: object) -> object:
    if isinstance(value, str):
        return _digested_text(value)
    if isinstance(value, dict):
        return {name: _digested(inner) for name, inner in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_digested(inner) for inner in cast("list[object]", value)]
    return value


def _digested_text(text: str) -> str:
    if len(text) <= _LONG:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:80]}… ‹{len(text):,} characters, sha256 {digest}›"


def _hunks(old: list[str], new: list[str], context: int) -> Iterator[Hunk]:
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    start, before, after = max(0, head - context), len(old) - tail, len(new) - tail
    end, stop = min(len(old), before + context), min(len(new), after + context)
    if max(before, after) - head > MOST_LINES:
        lines = [
            *(f" {line}" for line in old[start:head]),
            *(f"-{line}" for line in old[head:before]),
            *(f"+{line}" for line in new[head:after]),
            *(f" {line}" for line in old[before:end]),
        ]
        yield Hunk(_title(start, end, start, stop), tuple(lines))
        return
    # With autojunk, brackets and other lines that come by the thousand are no anchors: it stays quick.
    matcher = difflib.SequenceMatcher(None, old[start:end], new[start:stop], autojunk=True)
    for group in matcher.get_grouped_opcodes(context):
        rows: list[str] = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                rows += [f" {line}" for line in old[start + i1 : start + i2]]
                continue
            rows += [f"-{line}" for line in old[start + i1 : start + i2]]
            rows += [f"+{line}" for line in new[start + j1 : start + j2]]
        first, last = group[0], group[-1]
        yield Hunk(_title(start + first[1], start + last[2], start + first[3], start + last[4]), tuple(rows))


def _title(start: int, end: int, begin: int, stop: int) -> str:
    return f"@@ -{start + 1},{end - start} +{begin + 1},{stop - begin} @@"


def common_length(old: str | bytes, new: str | bytes) -> int:
    """How many characters or bytes are the same at the beginning of both."""
    at = 0
    while old[at : at + _PIECE] == new[at : at + _PIECE]:
        if at >= len(old):
            return len(old)
        at += _PIECE
    low, high = at, min(at + _PIECE, len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[at:middle] == new[at:middle]:
            low = middle
        else:
            high = middle - 1
    return low
