from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tui.core.text import storable, visible, visible_line

FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def test_an_escape_sequence_is_shown_as_symbols() -> None:
    assert visible("a\x1b]52;c;eA==\x07b") == "a␛]52;c;eA==␇b"


def test_lines_and_tabs_stay_in_a_block_and_are_symbols_in_a_line() -> None:
    assert visible("a\r\nb\tc\rd") == "a\nb\tc␍d"
    assert visible_line("a\nb\tc") == "a␊b␉c"


def test_printable_text_comes_back_as_the_same_object() -> None:
    text = "Grüße, 世界 👩‍👩‍👧 שלום é"
    assert visible(text) is text
    assert visible_line(text) is text


@given(st.text(alphabet=st.characters()))
def test_no_control_ever_comes_through(text: str) -> None:
    assert not FORBIDDEN.search(visible(text))
    assert not FORBIDDEN.search(visible_line(text))
    assert "\n" not in visible_line(text)


@given(st.text(alphabet=st.characters()))
def test_stored_text_can_be_encoded(text: str) -> None:
    storable(text).encode("utf-8")
