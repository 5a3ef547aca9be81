"""JSON read as it arrives, and the table of several answers."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.structured.growing_tree import GrowingTree
from tui.core.structured.table import Answer, answers_table

values: Any = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=10,
)


def lines(tree: GrowingTree) -> list[tuple[Any, ...]]:
    return [(line.path, line.kind, line.text, line.closed, line.count, line.end) for line in tree.lines]


def value_of(tree: GrowingTree) -> Any:
    """The value, put together from the lines alone."""
    made: list[Any] = []
    for line in tree.lines:
        scalar = line.kind not in ("object", "array")
        made.append(json.loads(line.text) if scalar else {} if line.kind == "object" else [])
        if line.path:
            parent = max(
                index
                for index, other in enumerate(tree.lines[: len(made) - 1])
                if other.path == line.path[:-1]
            )
            if isinstance(made[parent], list):
                made[parent].append(made[-1])
            else:
                made[parent][line.path[-1]] = made[-1]
    return made[0]


@settings(max_examples=200, deadline=None)
@given(values, st.booleans(), st.data())
def test_a_tree_that_grew_is_the_tree_of_the_whole(value: Any, wide: bool, data: st.DataObject) -> None:
    text = json.dumps(value, indent=2 if wide else None, ensure_ascii=not wide)
    whole = GrowingTree(text)
    whole.finish()
    assert whole.is_whole and not whole.is_broken
    assert value_of(whole) == value
    grown, at = GrowingTree(), 0
    seen: list[tuple[Any, ...]] = []
    while at < len(text):
        size = data.draw(st.integers(1, 5))
        grown.feed(text[at : at + size])
        now = lines(grown)
        # Who draws only what is new or named as changed draws all of it.
        changed = [index for index, before in enumerate(seen) if before != now[index]]
        assert set(changed) <= grown.changed
        seen, at = now, at + size
    grown.finish()
    assert lines(grown) == lines(whole)


def test_what_has_come_of_an_answer_is_shown() -> None:
    tree = GrowingTree('{"name": "Ad')
    assert [(line.path, line.text) for line in tree.lines] == [((), ""), (("name",), '"Ad')]
    tree.feed("a\\")
    tree.feed('n"')
    assert tree.lines[1].text == '"Ada\\n"' and tree.lines[1].closed
    tree.feed(', "tags": [12')
    assert [line.path for line in tree.lines[2:]] == [("tags",), ("tags", 0)]
    assert not tree.lines[3].closed and not tree.is_whole
    tree.feed("]}")
    assert tree.lines[3].closed and tree.is_whole
    assert (tree.lines[0].count, tree.lines[0].end, tree.lines[2].end) == (2, 4, 4)


@pytest.mark.parametrize("text", ["I cannot help", '{"a": 1} and', '{"a" 1}', "[1, }", '{"a": 01}', "[1}"])
def test_what_is_no_json_is_kept_as_text(text: str) -> None:
    tree = GrowingTree()
    for character in text:
        tree.feed(character)
    tree.finish()
    assert tree.is_broken and not tree.is_whole
    assert tree.lines[-1].kind == "text"
    assert text.endswith(tree.lines[-1].text)


def test_answers_become_one_table() -> None:
    table = answers_table(
        [
            Answer(1, {"name": "Ada", "at": {"zip": 7}, "tags": ["x", "y"], "none": None}),
            Answer(3, {"name": "=1+1", "more": True, "odd.name": "é", "tags": []}),
            Answer(4, [1]),
        ]
    )
    assert table.columns == (
        "name", "at.zip", "tags[0]", "tags[1]", "none", "more", "['odd.name']", "tags", "[0]",
    )  # fmt: skip
    rows = list(csv.reader(io.StringIO(table.csv())))
    assert rows[0] == ["turn", *table.columns]
    assert rows[1] == ["1", "Ada", "7", "x", "y", "", "", "", "", ""]
    assert rows[2] == ["3", "'=1+1", "", "", "", "", "true", "é", "[]", ""]
    assert [json.loads(line) for line in table.json_lines().splitlines()] == [
        answer.value for answer in table.answers
    ]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", " =1", "\t1", "\r1", "\n=1", "|x"])
def test_no_text_of_an_answer_is_a_formula(text: str) -> None:
    table = answers_table([Answer(1, {"a": text, text: -5})])
    titles, row = list(csv.reader(io.StringIO(table.csv(), newline="")))
    assert row[1] == f"'{text}" and row[2] == "-5"
    assert not titles[2].startswith(("=", "+", "-", "@"))
