"""A body as a text to edit: what was not changed comes back as the same bytes."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tui.core.body_text import EditableBody, guarded
from tui.core.items import dump_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), values, max_size=4), st.sampled_from([None, 1, 4]))
def test_an_unchanged_body_comes_back_byte_for_byte(value: dict[str, Any], indent: int | None) -> None:
    text = dump_json(value) if indent is None else json.dumps(value, ensure_ascii=False, indent=indent)
    body = text.encode("utf-8", "replace")
    editable = EditableBody.of(body)
    assert editable.body(editable.text) == body
    assert json.loads(editable.text) == json.loads(body)
    assert editable.compact or indent is not None


def test_the_spelling_of_numbers_and_names_that_come_twice_stay() -> None:
    body = b'{"a":1.50,"b":1e3,"a":-0.0,"c":"1.50"}'
    editable = EditableBody.of(body)
    assert editable.text.split("\n")[1:4] == ['  "a": 1.50,', '  "b": 1e3,', '  "a": -0.0,']
    assert editable.body(editable.text) == body
    assert editable.body(editable.text.replace("1e3", "2e3")) == body.replace(b"1e3", b"2e3")


def test_long_opaque_strings_are_put_aside_and_put_back() -> None:
    url = "data:application/pdf;base64," + base64.b64encode(b"%PDF" * 1000).decode()
    words = "two words " * 400
    body = dump_json({"file": url, "again": url, "secret": "z" * 3000, "text": words}).encode()
    editable = EditableBody.of(body)
    assert editable.text.count("‹kept 1 application/pdf, 4.0 kB, sha256 ") == 2
    assert "‹kept 2 3,000 characters, sha256 " in editable.text
    assert words in editable.text
    assert len(editable.text) < len(words) + 500
    assert editable.body(editable.text) == body
    shown = json.loads(editable.text)
    moved = json.dumps({"model": "m", "file": shown["again"], "other": "‹kept"}, ensure_ascii=False)
    assert json.loads(editable.body(moved)) == {"model": "m", "file": url, "other": "‹kept"}
    assert editable.unknown(moved) == ""
    assert editable.unknown('{"a":"‹kept 7 what›"}') == '"‹kept 7 what›"'


def test_what_a_terminal_acts_on_is_escaped_for_it_and_sent_as_it_was() -> None:
    body = dump_json({"a": "\u202eabc\u009b31m", "b": "\\u202e é"}).encode()
    editable = EditableBody.of(body)
    assert "\u202e" not in editable.text and "\\u202eabc\\u009b31m" in editable.text
    assert editable.body(editable.text) == body
    # Where the body itself has such an escape, the two cannot be told apart: both go as escapes.
    both = b'{"a":"\xe2\x80\xae","b":"\\u202e"}'
    again = EditableBody.of(both)
    assert json.loads(again.body(again.text)) == json.loads(both)
    assert guarded('{"a": "é 漢 🎉"}') == '{"a": "é 漢 🎉"}'


def test_what_is_no_json_is_edited_as_it_is() -> None:
    for body in (b'{"a": ', b"", "no é".encode()):
        editable = EditableBody.of(body)
        assert editable.body(editable.text) == body
