"""Selected text: how it is marked, and what of it is copied."""

from __future__ import annotations

from collections.abc import Iterator

from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection

from tui.widgets.transcript.flow import Anchor, Flow, Line
from tui.widgets.transcript.rows import HARD, Row

__all__ = ["mark", "selected_text"]

_WHOLE_BLOCKS = 60
"""A selection over more blocks than this copies the source of those in its middle: rendering
thousands of blocks to copy them would stop the program for seconds."""


def mark(row: Row, span: tuple[int, int], style: Style) -> list[Segment]:
    """The segments of `row` with `style` over the copied part of the characters in `span`.

    Args:
        row: The row.
        span: Start and end character; an end of -1 is the end of the row.
        style: Of selected text.
    """
    start = max(span[0], row.skip)
    end = row.end if span[1] == -1 else min(span[1], row.end)
    if start >= end:
        return row.segments
    segments: list[Segment] = []
    offset = 0
    for text, own, control in row.segments:
        size = len(text)
        low, high = max(start - offset, 0), min(end - offset, size)
        if low >= high:
            segments.append(Segment(text, own, control))
        else:
            if low:
                segments.append(Segment(text[:low], own))
            segments.append(Segment(text[low:high], own + style if own else style))
            if high < size:
                segments.append(Segment(text[high:], own))
        offset += size
    return segments


def selected_text(flow: Flow, selection: Selection) -> str:
    """The text under `selection`: soft-wrapped lines are joined, gutters and bars left out."""
    parts: list[str] = []
    for line_id, row in _selected_lines(flow, selection):
        if isinstance(row, str):
            parts += [HARD if parts else "", row, HARD]
            continue
        span = selection.get_span(line_id)
        if span is None:
            continue
        start = max(span[0], row.skip)
        end = row.end if span[1] == -1 else min(span[1], row.end)
        if parts:
            parts.append(row.join)
        parts.append(row.text[start:end] if start < end else "")
    return "".join(parts)


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
        for line_id, row in flow.lines(Anchor(view, 0, 0)):
            if line_id >> 40 != view.order:
                break
            yield line_id, row
