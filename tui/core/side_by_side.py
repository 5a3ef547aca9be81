"""Two texts line by line beside each other, equal lines in one row."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import zip_longest

from tui.core.byte_diff import MOST_LINES, readable_lines

__all__ = ["side_by_side"]


def side_by_side(old: str, new: str) -> Iterator[tuple[str | None, str | None]]:
    """Pairs of lines of two bodies, JSON indented and its long texts cut with a digest.

    Lines that are equal, or stand for each other, are pairs; what only one has stands beside `None`.
    """
    left, right = readable_lines(old), readable_lines(new)
    if max(len(left), len(right)) > MOST_LINES:
        yield from zip_longest(left, right)
        return
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=True)
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        yield from zip_longest(left[i1:i2], right[j1:j2])
