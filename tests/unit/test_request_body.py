"""Outlines of large bodies, and parsing them in parts."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from tui.core.data_url import folded, length_of, size_of
from tui.core.json_places import members
from tui.core.json_values import beginning_of, loads
from tui.core.request_body import RequestBody, outlined
from tui.widgets.inspection.json_node import entries_of
from tui.widgets.inspection.json_rows import Elements, json_rows, json_value

FILE = bytes(range(256)) * 200


def body(file: bytes = FILE, text: str = "é and ü") -> bytes:
    data = "data:application/pdf;base64," + base64.b64encode(file).decode()
    parts = [
        {"type": "input_text", "text": text},
        {"type": "input_file", "filename": "a.pdf", "file_data": data},
    ]
    return json.dumps(
        {"model": "m", "input": [{"role": "user", "content": parts}]}, ensure_ascii=False
    ).encode()


def test_an_outline_is_the_body_without_its_files_and_says_what_they_are() -> None:
    sent = RequestBody(body())
    assert len(sent) == len(body()) and len(sent.outline.data) < 600
    value = json.loads(sent.outline.data)
    words = value["input"][0]["content"][1]["file_data"]
    assert length_of(words) == len("data:application/pdf;base64,") + len(base64.b64encode(FILE))
    assert size_of(json.dumps(value, ensure_ascii=False)) == len(sent)
    before = folded(words)
    assert before and (before.size, before.sha256) == (len(FILE), "…")
    assert sent.count_files() and not sent.count_files()
    after = folded(words)
    assert after and after.sha256 == hashlib.sha256(FILE).hexdigest()
    assert sent.restored(words) == json.loads(body())["input"][0]["content"][1]["file_data"]
    assert sent.restored(sent.outline.text).encode() == body()
    # What is put together from turns is compared with it.
    assert outlined(json.loads(body())) == value


def test_equal_files_have_equal_words_and_others_have_not() -> None:
    one, same, other = (RequestBody(body(file)) for file in (FILE, bytes(FILE), FILE[:-1] + b"x"))
    assert one.outline.data == same.outline.data != other.outline.data


def test_places_in_the_outline_are_ranges_of_the_body() -> None:
    sent = RequestBody(body())
    text = sent.outline.data.decode()
    places = [place for _, place in members(text)]
    shown = [sent.data[start:end] for start, end in sent.outline.ranges(places)]
    assert [json.loads(part) for part in shown] == list(json.loads(body()).values())


@pytest.mark.parametrize("data", [b"", b"no JSON ;base64,", b'{"a": ";base64,' + b"\\" * 70_000 + b'"}'])
def test_a_body_without_files_is_its_own_outline(data: bytes) -> None:
    assert RequestBody(data).outline.data == data


def test_a_large_array_is_parsed_where_it_is_looked_at() -> None:
    items = [{"role": "user", "content": f"question {n}", "n": [n, {"deep": "]}"}]} for n in range(9000)]
    whole = {"model": "m", "input": items, "empty": [], "last": {"a": 1.5}}
    text = json.dumps(whole, indent=1)
    value = json_value(text)
    pairs = dict(value)  # type: ignore[call-overload]
    found = pairs["input"]
    assert isinstance(found, Elements) and len(found) == 9000 and len(entries_of(found)) == 9000
    assert dict(found[8999])["content"] == "question 8999"
    assert len(found[:6]) == 6 and list(found)[3] == found[3]
    assert (list(pairs), len(pairs["empty"]), dict(pairs["last"])) == (list(whole), 0, {"a": "1.5"})
    assert loads(text) == whole
    assert "".join(line.text for line in json_rows(text, 0)).count("question") == 9000
    for damaged in (text[:-1], text + "x", text.replace('"model"', "model", 1), text[:200_000]):
        with pytest.raises(ValueError):
            json_value(damaged + " " * 300_000)


def test_the_beginning_of_a_large_text_is_json() -> None:
    text = json.dumps({"model": 'a"]b', "input": [{"n": n, "of": [1, "}"]} for n in range(20_000)], "z": 1})
    for most in (60, 61, 75, 1000, 30_000):
        value = json.loads(beginning_of(text, most))
        assert value["model"] == 'a"]b'
        assert all(entry["n"] == n for n, entry in enumerate(value.get("input", [])) if "n" in entry)
    assert len(json.loads(beginning_of(text, 30_000))["input"]) > 500
    assert beginning_of('{"a": 1}', 30_000) == ""
    assert beginning_of('{"a": "' + "x" * 400_000 + '"}', 30_000) == ""
