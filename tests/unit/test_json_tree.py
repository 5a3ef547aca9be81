"""A JSON text as a tree: folding, what is found in it, paths and values to copy."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.core.json_places import place_of
from tui.widgets.inspection.json_tree import JsonTree

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=30,
)


def tree(value: Any, width: int = 80, limit: int = 4000) -> JsonTree:
    return JsonTree(json.dumps(value), [], width, limit)


def texts(rows: JsonTree) -> list[str]:
    return [rows.row(index, 80).text for index in range(len(rows))]


@settings(deadline=None)  # a busy machine is no fault of a row
@given(VALUES, st.integers(min_value=60, max_value=140))
def test_every_row_fits_and_every_node_copies_the_value_at_its_path(value: Any, width: int) -> None:
    text = json.dumps(value)
    rows = JsonTree(text, [], width, 4000)
    for index in range(len(rows)):
        node = rows.node_at(index)
        assert node is not None
        if node.depth < 10:
            assert cell_len(rows.row(index, width).text) <= width
        place = place_of(text, node.steps)
        assert place is not None
        meant = json.loads(text[place.start : place.end])
        assert (node.text if isinstance(meant, str) else json.loads(node.text)) == meant


@settings(deadline=None)
@given(VALUES, st.data())
def test_folding_and_unfolding_anything_comes_back_to_the_same_rows(value: Any, data: st.DataObject) -> None:
    rows = tree(value)
    before = texts(rows)
    index = data.draw(st.integers(min_value=0, max_value=len(rows) - 1))
    at = rows.fold(index)
    assert rows.fold(at) == at
    assert texts(rows) == before


def test_numbers_keep_their_spelling_and_a_name_that_comes_twice_is_there_twice() -> None:
    rows = JsonTree('{"a":1.50e0,"a":10000000000000000000001}', [], 80, 100)
    assert [line.strip() for line in texts(rows)[1:]] == ["a: 1.50e0", "a: 10000000000000000000001"]
    node = rows.node_at(1)
    assert node is not None
    assert node.text == "1.50e0"


def test_a_data_url_is_its_type_size_and_digest_and_is_copied_whole() -> None:
    data = bytes(range(256)) * 8
    url = "data:application/pdf;base64," + base64.b64encode(data).decode()
    rows = tree({"file": url}, width=200)
    assert "‹application/pdf, 2.0 kB›" in texts(rows)[1]
    assert "sha256 …" in texts(rows)[2]
    assert rows.count_data()
    rows.lay_out_again()
    assert "‹application/pdf, 2.0 kB (2,048 bytes)›" in texts(rows)[1]
    assert f"sha256 {hashlib.sha256(data).hexdigest()}" in texts(rows)[2]
    node = rows.node_at(1)
    assert node is not None
    assert node.text == url
    assert rows.search("aaec", 10) == [], "nobody looks for words in base64"


def test_a_hit_in_what_is_folded_is_opened_and_in_a_long_text_its_line_is_found() -> None:
    long = "\n".join(f"line {n} of a long text" for n in range(200))
    rows = tree({"outer": [{"inner": {"note": "a Needle here"}}, long]})
    rows.fold_all(0, False)
    assert len(rows) == 1
    (hit,) = rows.search("needle", 10)
    assert "a Needle here" in rows.row(rows.reveal(hit), 80).text
    (hit,) = rows.search("line 150 ", 10)
    assert "line 150 of a long text" in rows.row(rows.reveal(hit), 80).text
    assert [found.places for found in rows.search("inner", 10)] == [(0, 0, 0)]


def test_words_that_are_found_are_marked() -> None:
    rows = tree({"a": "Straße STRASSE strasse"})
    rows.words = "strasse"
    line = rows.row(1, 80)
    assert [line.text[start:end] for start, end, mark in line.spans if mark == "match"] == [
        "STRASSE",
        "strasse",
    ]


def test_a_body_of_a_million_values_is_folded_where_it_is_long() -> None:
    rows = tree({"model": "m", "input": list(range(100_000))})
    assert len(rows) == 3
    assert texts(rows)[2].strip().startswith("▸ input: [100000]")
    rows.fold(2, True)
    assert len(rows) == 100_003


def test_paths_are_json_path() -> None:
    rows = tree({"odd name": [{"x": None}]})
    paths = [node.path for index in range(len(rows)) if (node := rows.node_at(index))]
    assert paths == ["$", "$['odd name']", "$['odd name'][0]", "$['odd name'][0].x"]
