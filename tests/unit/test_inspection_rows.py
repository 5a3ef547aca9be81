from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.core import figures
from tui.core.data_url import DataUrl, folded
from tui.core.items import dump_json
from tui.core.shape import shape_item
from tui.widgets.inspection.json_rows import json_rows, text_rows
from tui.widgets.rows import fit, row, wrap

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 196_608, 196_609, 500_000])
def test_a_data_url_is_folded_to_its_own_size_and_digest(size: int) -> None:
    data = bytes(n % 251 for n in range(size))
    url = "data:application/pdf;base64," + base64.b64encode(data).decode()
    assert folded(url) == DataUrl("application/pdf", size, hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize("url", ["data:application/pdf;base64,%%%", "data:a/b;base64,YQ==" + "YQ==" * 70_000])
def test_what_is_no_valid_base64_is_said(url: str) -> None:
    assert folded(url) == DataUrl(url[5:].split(";")[0], None, "")


@pytest.mark.parametrize("text", ["", "data:", "data:text/plain,hello", "a data:a/b;base64,YQ=="])
def test_other_texts_are_no_data_urls(text: str) -> None:
    assert folded(text) is None


@given(JSON_VALUES)
def test_shown_json_without_its_layout_is_the_json_that_came(value: Any) -> None:
    text = dump_json(value)
    shown = "".join(line.text.strip(" ") for line in json_rows(text, 0))
    if shown.isprintable() and all(ord(c) < 0x250 for c in shown):
        assert json.loads(shown) == value


def test_a_key_that_comes_twice_is_shown_twice() -> None:
    lines = [line.text for line in json_rows('{"a":1,"a":1.0}', 0)]
    assert lines == ["{", '  "a": 1,', '  "a": 1.0', "}"]


def test_deep_nesting_is_shown_as_text_and_does_not_fail() -> None:
    text = "[" * 100_000
    assert [line.text for line in json_rows(text, 0)] == [text]


@given(st.text(max_size=300), st.integers(min_value=8, max_value=40), st.integers(min_value=0, max_value=12))
def test_wrapping_loses_nothing_and_stays_within_the_width(text: str, width: int, hang: int) -> None:
    whole = row((text, "string"), hang=hang)
    lines = wrap([whole], width)
    assert all(cell_len(line.text) <= width for line in lines)
    indent = min(hang, width // 2)
    pieces = [line.text[indent:] if number else line.text for number, line in enumerate(lines)]
    assert "".join(pieces) == whole.text
    marked = "".join(line.text[start:end] for line in lines for start, end, _ in line.spans)
    assert marked == whole.text


@given(st.text(max_size=40).filter(str.isprintable), st.integers(min_value=1, max_value=30))
def test_a_cell_is_exactly_as_wide_as_its_column(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width
    assert cell_len(fit(text, width, right=True)) == width


@given(JSON_VALUES)
def test_the_size_of_an_item_is_that_of_its_compact_json(value: Any) -> None:
    payload = {"type": "x", "value": value}
    assert shape_item(payload, 100).size == len(dump_json(payload).encode("utf-8", "replace"))


def test_a_long_line_is_made_safe_in_every_piece() -> None:
    text = ("a" * 300_000 + "\x1b") * 3
    (line,) = text_rows(text)
    assert line.text == ("a" * 300_000 + "␛") * 3


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (None, "–"),
        (0, "0"),
        (999, "999"),
        (1_000, "1k"),
        (8_192, "8.2k"),
        (99_949, "100k"),
        (1_050_000, "1.1M"),
    ],
)
def test_counts(number: int | None, shown: str) -> None:
    assert figures.count(number) == shown


@pytest.mark.parametrize(
    ("duration", "shown"),
    [(None, "–"), (0.0, "0 ms"), (0.42, "420 ms"), (0.9996, "1.00 s"), (12.34, "12.3 s"), (125, "2 m 05 s")],
)
def test_durations(duration: float | None, shown: str) -> None:
    assert figures.seconds(duration) == shown


@pytest.mark.parametrize(
    ("octets", "shown"), [(None, "–"), (0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (27_000_000, "27 MB")]
)
def test_sizes(octets: int | None, shown: str) -> None:
    assert figures.size(octets) == shown
