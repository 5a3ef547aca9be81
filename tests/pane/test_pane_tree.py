"""A tree that grew in the pane is drawn as one that came whole; folds hold while it grows."""

from __future__ import annotations

import json
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from tui.core.structured.strict import Problem
from tui.widgets.transcript.block import Block, BlockKind
from tui.widgets.transcript.palette import COMPONENTS, Palette
from tui.widgets.transcript.piece import Paper
from tui.widgets.transcript.tree_view import TreeView

PALETTE = Palette(
    **{name.removeprefix("pane--").replace("-", "_"): Style(bgcolor="#101010") for name in COMPONENTS}
)
PAPER = Paper(60, 59, PALETTE)
values: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-99, 99), st.text(max_size=90)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def drawn(view: TreeView) -> list[str]:
    return [row.text.rstrip() for index in range(len(view.pieces)) for row in view.rows(index, PAPER)]


def whole(text: str, problems: tuple[Problem, ...] = ()) -> TreeView:
    view = TreeView(Block("a:1", BlockKind.ASSISTANT, text, "Answer", json=True, problems=problems), 1)
    view.ensure(PAPER)
    return view


@settings(max_examples=100, deadline=None)
@given(values, st.data())
def test_a_tree_that_grew_is_drawn_as_the_whole(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value, ensure_ascii=False)
    view = TreeView(Block("a:1", BlockKind.ASSISTANT, "", "Answer", json=True), 1)
    view.split(PAPER)
    at = 0
    while at < len(text):
        size = data.draw(st.integers(1, 12))
        view.feed(text[at : at + size], PAPER)
        assert view.height == len(drawn(view))
        at += size
    grown = drawn(view)
    view.close(None, PAPER)
    assert drawn(view) == drawn(whole(text))
    # A number at the very end is complete only when nothing more comes.
    assert grown == drawn(view) or isinstance(value, int | bool | None)


def test_what_is_folded_stays_so_while_more_comes() -> None:
    view = TreeView(Block("a:1", BlockKind.ASSISTANT, "", "Answer", json=True), 1)
    view.split(PAPER)
    view.feed('{"a": [1, 2', PAPER)
    view.toggle(1, PAPER)
    assert "▸ a  2 items" in drawn(view)[2] and len(drawn(view)) == 4
    view.feed(', 3, {"b": 4}', PAPER)
    assert "▸ a  4 items" in drawn(view)[2] and len(drawn(view)) == 4
    view.feed('], "c": 5}', PAPER)
    view.close(None, PAPER)
    assert [line.strip() for line in drawn(view)[1:]] == ["▾ 2 fields", "▸ a  4 items", "c: 5", ""]
    view.toggle(1, PAPER)
    assert len(drawn(view)) == 10


def test_problems_stand_below_their_value_and_control_characters_are_drawn() -> None:
    text = '{"a": "\\u001b[31m\x1b", "b": {"c": 1}}'
    lines = drawn(whole(text, (Problem(("b", "c"), "too small"), Problem(("gone",), "missing"))))
    assert "\x1b" not in "".join(lines)
    at = next(number for number, line in enumerate(lines) if line.strip() == "c: 1")
    assert lines[at + 1].strip() == "✕ too small"
    assert lines[2].strip() == "✕ $.gone: missing"


@pytest.mark.parametrize("deltas", [3000])
def test_a_long_answer_costs_little_for_each_delta(deltas: int) -> None:
    view = TreeView(Block("a:1", BlockKind.ASSISTANT, "", "Answer", json=True), 1)
    view.split(PAPER)
    view.feed('{"rows": [', PAPER)

    def cost(count: int) -> float:
        began = process_time()
        for number in range(count):
            view.feed(f'{{"id": {number}, "name": "word"}}, ', PAPER)
        return process_time() - began

    first = cost(deltas // 10) / (deltas // 10)
    cost(deltas)
    assert cost(deltas // 10) / (deltas // 10) < 4 * first + 0.001
