"""Differences of two bodies: what they say is true, in structure and in bytes, and large ones are quick."""

from __future__ import annotations

import base64
import copy
import json
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.byte_diff import byte_diff, common_length
from tui.core.items import dump_json
from tui.core.json_diff import Change, json_changes
from tui.core.json_places import Place, byte_ranges, line_and_column, members, path_text, place_of

SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([1.0, 0.5]) | st.text("ab", max_size=2)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("xy", max_size=1), inner, max_size=3),
    max_leaves=15,
)


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@settings(max_examples=300)
@given(VALUES, VALUES)
def test_every_change_stands_where_it_says(old: Any, new: Any) -> None:
    changes = json_changes(old, new)
    assert (changes == []) is (json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True))
    for change in changes:
        if change.before is not None:
            assert dump_json(at(old, change.before)) == dump_json(change.old)
        if change.after is not None:
            assert dump_json(at(new, change.after)) == dump_json(change.new)
        assert (change.kind == "added") is (change.before is None)
        assert (change.kind == "removed") is (change.after is None)
        assert change.words()


@given(st.lists(st.integers(0, 6), max_size=12), st.lists(st.integers(0, 6), max_size=12))
def test_a_list_is_told_by_what_came_and_went(old: list[int], new: list[int]) -> None:
    def item(number: int) -> dict[str, Any]:
        return {"type": "function", "name": f"tool {number}", "description": "x" * number}

    changes = json_changes([item(n) for n in old], [item(n) for n in new])
    came = [change.new["name"] for change in changes if change.kind == "added"]  # type: ignore[index]
    went = [change.old["name"] for change in changes if change.kind == "removed"]  # type: ignore[index]
    assert sorted([*(item(n)["name"] for n in old), *came]) == sorted(
        [*(item(n)["name"] for n in new), *went]
    )
    # Two of different names are two tools, never one that changed.
    assert {change.kind for change in changes} <= {"added", "removed", "moved"}


def words(old: Any, new: Any) -> list[str]:
    return [change.words() for change in json_changes(old, new)]


def test_words() -> None:
    one, two = {"role": "user", "content": "one"}, {"role": "user", "content": "two"}
    part = {"type": "output_text", "text": "x"}
    said = {"id": "msg_1", "type": "message", "role": "assistant", "content": [part]}
    rest = '"content":[{"type":"output_text","text":"x"}]}'
    assert words({"input": [one]}, {"input": [one, said, two]}) == [
        '$.input[1] added: {"id":"msg_1","type":"message","role":"assistant",' + rest,
        '$.input[2] added: {"role":"user","content":"two"}',
    ]
    edited = copy.deepcopy(said)
    edited["content"][0]["text"] = "y"  # type: ignore[index]
    assert words([one, said, two], [said | {"role": "x"}, edited, two]) == [
        '$[0] added: {"id":"msg_1","type":"message","role":"x",' + rest,
        '$[1].content[0].text: "x" became "y"',
        '$[0] removed: {"role":"user","content":"one"}',
    ]
    assert words([1, 2, 3], [3, 1, 2]) == ["$[0] moved from $[2]"]
    assert words({"a": True, "b": 1}, {"a": 1, "b": 1.0}) == ["$.a: true became 1", "$.b: 1 became 1.0"]
    assert words({"it's": 1}, {}) == ["$['it\\'s'] removed: 1"]
    long = "a" * 500
    assert words(long + "b" + long, long + "c" + long)[0].count("a") < 160
    pdf = "data:application/pdf;base64," + base64.b64encode(b"x" * 300).decode()
    assert words({"f": pdf}, {})[0].startswith("$.f removed: ‹application/pdf, 300 B (300 bytes), sha256 ")


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_the_first_byte_that_differs(head: bytes, old: bytes, new: bytes) -> None:
    head = head * 5000
    expected = next(
        (n for n, pair in enumerate(zip(head + old, head + new, strict=False)) if pair[0] != pair[1]),
        min(len(head + old), len(head + new)),
    )
    found = byte_diff(head + old, head + new)
    assert found.offset == (None if old == new else expected)
    assert common_length(head + old, head + new) == expected


def test_hunks_are_a_unified_diff_of_the_indented_json() -> None:
    old = {"model": "m", "input": [{"role": "user", "content": str(n)} for n in range(40)], "store": True}
    new = copy.deepcopy(old)
    new["input"][20]["content"] = "other"  # type: ignore[index]
    new["store"] = False
    found = byte_diff(dump_json(old).encode(), dump_json(new).encode())
    assert [hunk.title for hunk in found.hunks] == ["@@ -83,7 +83,7 @@", "@@ -162,5 +162,5 @@"]
    assert found.hunks[0].lines == (
        "     },",
        "     {",
        '       "role": "user",',
        '-      "content": "20"',
        '+      "content": "other"',
        "     },",
        "     {",
        '       "role": "user",',
    )
    shown = json.dumps(new, indent=2).split("\n")
    for hunk in found.hunks:
        begin = int(hunk.title.split("+")[1].split(",")[0]) - 1
        kept = [line[1:] for line in hunk.lines if line[0] != "-"]
        assert shown[begin : begin + len(kept)] == kept
    assert byte_diff(b"one\ntwo", b"one\ntwo\nthree").hunks[0].lines == (" one", " two", "+three")


def big(pages: int) -> dict[str, Any]:
    data = base64.b64encode(random.Random(pages).randbytes(11_200_000)).decode()
    file = {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64," + data}
    items: list[Any] = [
        {"role": "user", "content": [file, {"type": "input_text", "text": f"page {n}"}]} for n in range(2)
    ]
    return {"model": "m", "input": [*items, *({"role": "user", "content": f"é {n}"} for n in range(1500))]}


def test_thirty_megabytes_take_no_longer_than_reading_them_a_few_times() -> None:
    old = big(1)
    new = json.loads(dump_json(old))
    file = new["input"][1]["content"][0]
    file["file_data"] = file["file_data"][:-8] + "AAAAAAAA"
    new["input"].insert(700, {"role": "assistant", "content": "new"})
    first, second = dump_json(old).encode(), dump_json(new).encode()
    assert len(first) > 29_000_000
    began = time.process_time()
    read = json.loads(first), json.loads(second)
    floor = time.process_time() - began
    changes = json_changes(*read)
    found = byte_diff(first, second)
    # 3.4 to 3.8 times the floor when measured; pairing 1,500 items with one another would be far beyond 12.
    assert time.process_time() - began < 12 * floor
    assert [(change.kind, change.path) for change in changes] == [
        ("changed", "$.input[1].content[0].file_data"),
        ("added", "$.input[700]"),
    ]
    assert found.offset is not None
    assert first[: found.offset] == second[: found.offset]
    assert first[found.offset] != second[found.offset]
    assert len(found.hunks) == 2
    assert all(len(line) < 400 for hunk in found.hunks for line in hunk.lines)


@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_places_in_a_text_are_those_of_the_values(value: Any, indent: Any, ascii_only: bool) -> None:
    text = " " + json.dumps({"ä": value, "b": [value]}, indent=indent, ensure_ascii=ascii_only) + "\n"
    for path in (("ä",), ("b", 0), ("b",), ()):
        place = place_of(text, path)
        assert place is not None
        assert json.loads(text[place.start : place.end]) == at({"ä": value, "b": [value]}, path)
        ((start, end),) = byte_ranges(text, [place])
        assert text.encode()[start:end].decode() == text[place.start : place.end]
    places = [place for _, place in members(text)]
    ranges = byte_ranges(text, places)
    assert [text.encode()[a:b] for a, b in ranges] == [text[p.start : p.end].encode() for p in places]
    assert place_of(text, ("nope",)) is None
    assert place_of(text, ("b", 1)) is None


def test_places_of_what_is_odd() -> None:
    assert place_of('{"a":1,"a":22}', ("a",)) == Place(11, 13)
    assert list(members("3")) == []
    for text in ('{"a" 1}', "[1 2]", "{1:2}", '{"a":1', "[" * 100_000):
        with pytest.raises(ValueError):
            list(members(text))
    assert path_text(("input", 2, "a b", "c")) == "$.input[2]['a b'].c"
    assert line_and_column("ab\ncd\n", 4) == (2, 2)
    assert Change("moved", ("a", 1), ("a", 0)).words() == "$.a[0] moved from $.a[1]"
