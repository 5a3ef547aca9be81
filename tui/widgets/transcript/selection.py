"""Selected text: how it is marked, what of it is copied, and how it outlives a new layout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection

from tui.widgets.transcript.flow import Anchor, Flow, Line
from tui.widgets.transcript.rows import HARD, Row
from tui.widgets.transcript.view import View

__all__ = [
    "Place",
    "Spot",
    "after",
    "anchor_of",
    "before",
    "cell_of",
    "char_at",
    "find_place",
    "mark",
    "place_of",
    "restyle",
    "selected_text",
]

_WHOLE_BLOCKS = 60
"""A selection over more blocks than this copies the source of those in its middle: rendering
thousands of blocks to copy them would stop the program for seconds."""

_MANY_ROWS = 300
"""From this row of a piece on, a spot is told by its row: what stands before it is too much to be read."""

_NO_LETTERS = re.compile(r"[\W_]+")

_WHOLE_PIECES = 200
"""The same for the paragraphs and list items of one block."""

Spot = tuple[int, int]
"""A line's id and the index of a character in its row; spots compare as they stand."""


@dataclass(frozen=True, slots=True)
class Place:
    """A spot told by what stands before it, which holds on paper of another width too.

    Attributes:
        view: The block.
        piece: The piece in it.
        before: The letters and digits of the piece up to there. Markdown's own marks are none, so that it
            also holds when they turn into emphasis while the text streams.
        extra: How many other characters follow on those before the spot.
        row: The row in a piece of very many rows, in which nothing before that row is told; else 0.
        rows: How many rows such a piece had.
    """

    view: View
    piece: int
    before: str
    extra: int
    row: int = 0
    rows: int = 0


def anchor_of(flow: Flow, line_id: int) -> Anchor | None:
    """Which row a line's id names now; the nearest one if it is gone."""
    index = flow.by_order(line_id >> 40)
    if index >= len(flow.views):
        return None
    view = flow.made(index)
    flow.open(view)
    if view.order != line_id >> 40 or not view.pieces:
        return Anchor(view, 0, 0)
    piece = min((line_id >> 20) & 0xFFFFF, len(view.pieces) - 1)
    return Anchor(view, piece, min(line_id & 0xFFFFF, len(flow.rows(view, piece)) - 1))


def place_of(flow: Flow, spot: Spot) -> Place | None:
    """Tell a spot by what stands before it."""
    anchor = anchor_of(flow, spot[0])
    if anchor is None or not anchor.view.pieces:
        return None
    rows = flow.rows(anchor.view, anchor.piece)
    many = anchor.row > _MANY_ROWS
    texts = [] if many else [row.copyable for row in rows[: anchor.row]]
    row = rows[anchor.row]
    texts.append(row.text[row.skip : max(row.skip, min(spot[1], row.end))])
    text = "".join(texts)
    end = max((index + 1 for index, char in enumerate(text) if char.isalnum()), default=0)
    told = (anchor.row, len(rows)) if many else (0, 0)
    return Place(anchor.view, anchor.piece, _letters(text), len(text) - end, *told)


def find_place(flow: Flow, place: Place, *, start: bool = False) -> Spot | None:
    """Where the place is now; None if what stood before it does not any more.

    Args:
        flow: All blocks.
        place: As `place_of` told it.
        start: Whether what matters stands behind it: then it is put before the next thing to see.
    """
    view = place.view
    if not (view.index < len(flow.views) and flow.views[view.index] is view):
        return None
    flow.open(view)
    left, extra, first = place.before, place.extra, place.row
    for piece in range(max(0, min(place.piece, len(view.pieces) - 1)), len(view.pieces)):
        rows = flow.rows(view, piece)
        if first and not (first < len(rows) and _letters(rows[first].copyable).startswith(left)):
            # It has other rows: the same share of them, if the same stands there.
            first = min(first * len(rows) // place.rows, len(rows) - 1)
        for number in range(first, len(rows)):
            row = rows[number]
            text = row.copyable
            letters = _letters(text)
            if len(letters) < len(left):
                if not left.startswith(letters):
                    return None
                left = left[len(letters) :]
                continue
            if not letters.startswith(left):
                return None
            at = stop = _after_letters(text, len(left))
            while stop < len(text) and stop - at < extra and not text[stop].isalnum():
                stop += 1
            if start:
                stop = len(text) - len(text[stop:].lstrip(" "))
            if stop >= len(text) and number < len(rows) - 1 and (start or not (left or text)):
                left, extra = "", 0
                continue
            return (view.order << 40) | (piece << 20) | number, row.skip + stop
        first = 0
    return None


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text)


def _after_letters(text: str, count: int) -> int:
    """The index behind as many letters and digits."""
    if not count:
        return 0
    for index, char in enumerate(text):
        count -= char.isalnum()
        if not count:
            return index + 1
    return len(text)


def char_at(row: Row, cell: int) -> int:
    """The index of the character drawn at a cell, clamped to what can be copied."""
    text, at = row.text, 0
    for begin, _, size in split_graphemes(text)[0]:
        if at + size > cell:
            return min(max(begin, row.skip), max(row.end, row.skip))
        at += size
    return max(row.end, row.skip)


def cell_of(row: Row, char: int) -> int:
    """The cell at which a character is drawn."""
    return cell_len(row.text[:char])


def mark(row: Row, span: tuple[int, int], style: Style) -> list[Segment]:
    """The segments of `row` with `style` over the copied part of the characters in `span`.

    Args:
        row: The row.
        span: Start and end character; an end of -1 is the end of the row.
        style: Of selected text.
    """
    start = max(span[0], row.skip)
    end = row.end if span[1] == -1 else min(span[1], row.end)
    return restyle(row.segments, start, end, style)


def restyle(segments: list[Segment], start: int, end: int, style: Style) -> list[Segment]:
    """The same segments with `style` over the characters from `start` to `end`."""
    if start >= end:
        return segments
    styled: list[Segment] = []
    offset = 0
    for text, own, control in segments:
        size = len(text)
        low, high = max(start - offset, 0), min(end - offset, size)
        if low >= high:
            styled.append(Segment(text, own, control))
        else:
            if low:
                styled.append(Segment(text[:low], own))
            styled.append(Segment(text[low:high], own + style if own else style))
            if high < size:
                styled.append(Segment(text[high:], own))
        offset += size
    return styled


def selected_text(flow: Flow, selection: Selection) -> str:
    """The text under `selection`: soft-wrapped lines are joined, gutters and bars left out."""
    parts: list[str] = []
    low = selection.start.y if selection.start is not None else -1
    high = selection.end.y if selection.end is not None else 1 << 62
    for line_id, row in _selected_lines(flow, selection):
        if isinstance(row, str):
            parts += [HARD if parts else "", row, HARD]
            continue
        span = (0, -1) if low < line_id < high else selection.get_span(line_id)
        if span is None or (row.end <= row.skip and row.text[row.end :].strip()):
            continue  # A ruler or a panel's title is no line of the text.
        start = max(span[0], row.skip)
        end = row.end if span[1] == -1 else min(span[1], row.end)
        if parts:
            parts.append(row.join)
        parts.append(row.text[start:end] if start < end else "")
    return "".join(parts)


def _lines_of(flow: Flow, view: View, selection: Selection) -> Iterator[Line]:
    """The lines of a block, as far as they are selected."""
    base, last = view.order << 40, len(view.pieces) - 1
    first = max(0, selection.start.y - base) >> 20 if selection.start is not None else 0
    if selection.end is not None and selection.end.y >> 40 == view.order:
        last = min(last, (selection.end.y - base) >> 20)
    far = last - first > _WHOLE_PIECES
    for index in range(first, last + 1):
        piece, line_id = view.pieces[index], base | (index << 20)
        if first < index < last and piece.cut is not None and (far or piece.rough):
            yield line_id, Row([Segment(piece.cut.source.rstrip("\n"))])
            if piece.cut.gap:
                yield line_id + 1, Row([])
            continue
        for number, row in enumerate(flow.rows(view, index)):
            yield line_id | number, row


def _selected_lines(flow: Flow, selection: Selection) -> Iterator[Line | tuple[int, str]]:
    if not flow.views:
        return
    first = flow.by_order(selection.start.y >> 40) if selection.start is not None else 0
    last = flow.by_order(selection.end.y >> 40) if selection.end is not None else len(flow.views) - 1
    last = min(last, len(flow.views) - 1)
    if first > last:
        return
    far = last - first > _WHOLE_BLOCKS
    for index in range(first, last + 1):
        view = flow.views[index]
        if far and first < index < last:
            yield view.order << 40, view.text
            continue
        view = flow.made(index)
        flow.open(view)
        yield from _lines_of(flow, view, selection)


def after(row: Row, x: int, limit: int | None = None) -> int:
    """The index of the character after the one at `x`, a grapheme further, at most the end of the row."""
    text = row.text
    end = max(row.end, row.skip) if limit is None else min(limit, len(text))
    for begin, stop, _ in split_graphemes(text[x : x + 32])[0]:
        if begin == 0:
            return min(x + stop, end)
    return min(x + 1, end)


def before(row: Row, x: int) -> int:
    """The index of the character before `x`, at least the start of the row."""
    previous = row.skip
    for begin, _, _ in split_graphemes(row.text[:x])[0]:
        if begin < x:
            previous = max(begin, row.skip)
    return min(previous, x) if x > row.skip else x
