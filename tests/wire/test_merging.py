"""Deltas that wait together become one; nothing else changes its place or its text."""

from __future__ import annotations

from collections import deque

from tui.core.events import ReasoningDelta, StreamEvent, TextDelta
from tui.wire.merging import merge_waiting


def text(delta: str, item: str = "msg", *, refusal: bool = False) -> TextDelta:
    return TextDelta(0, item, delta, refusal)


def merged(events: list[StreamEvent]) -> list[StreamEvent]:
    waiting = deque(events)
    merge_waiting(waiting)
    return list(waiting)


def test_a_few_events_stay_as_they_came() -> None:
    few: list[StreamEvent] = [text("a"), text("b"), text("c")]
    assert merged(few) == few


def test_rows_of_deltas_of_one_text_become_one_each_in_their_order() -> None:
    thought = ReasoningDelta(0, "rs", 0, "hm")
    events: list[StreamEvent] = [
        *(text(letter) for letter in "abcde"),
        thought,
        text("f"),
        text("g", "other"),
        text("h", "other"),
        text("no", refusal=True),
        text("i"),
    ]
    assert merged(events) == [
        text("abcde"),
        thought,
        text("f"),
        text("gh", "other"),
        text("no", refusal=True),
        text("i"),
    ]
