"""Deltas of a text that wait together become one: each event costs its way up to the screen."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

from tui.core.events import StreamEvent, TextDelta

__all__ = ["merge_waiting"]

_MANY: Final = 8
"""Events that wait together only where they come faster than they are taken."""


def merge_waiting(events: deque[StreamEvent]) -> None:
    """Make one of all text deltas in a row of the same item, in place, where many events wait.

    The record of the exchange keeps every event as it came.
    """
    if len(events) <= _MANY:
        return
    waiting = list(events)
    events.clear()
    row: list[TextDelta] = []
    for event in waiting:
        if row and not (isinstance(event, TextDelta) and _same_text(event, row[0])):
            events.append(_one(row))
            row = []
        if isinstance(event, TextDelta):
            row.append(event)
        else:
            events.append(event)
    if row:
        events.append(_one(row))


def _same_text(one: TextDelta, other: TextDelta) -> bool:
    return (one.item_id, one.output_index, one.refusal) == (other.item_id, other.output_index, other.refusal)


def _one(row: list[TextDelta]) -> TextDelta:
    return row[0] if len(row) == 1 else replace(row[0], delta="".join(event.delta for event in row))
