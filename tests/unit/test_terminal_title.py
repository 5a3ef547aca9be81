from __future__ import annotations

import pytest

from tui.terminal.title import title_sequence, title_words, understands_titles


def test_the_title_says_what_is_shown_and_how_many_have_ended_elsewhere() -> None:
    assert title_words("Granite", 0) == "Granite · Outcrop"
    assert title_words("Granite", 2) == "(2) Granite · Outcrop"
    assert title_words("", 0) == "Outcrop"


@pytest.mark.parametrize("evil", ["a\x07b", "a\x1b\\b", "a\x9cb", "a\nb\rc", "a\x1b]52;c;aGk=\x07", "\u202e"])
def test_no_title_can_end_its_sequence(evil: str) -> None:
    sequence = title_sequence(evil)
    assert sequence.startswith("\x1b]2;")
    assert sequence.endswith("\x1b\\")
    inner = sequence[4:-2]
    assert all(char.isprintable() for char in inner)


def test_a_terminal_that_would_print_it_gets_none() -> None:
    assert understands_titles({"TERM": "xterm-256color"})
    for term in ("linux", "dumb", ""):
        assert not understands_titles({"TERM": term})
    assert not understands_titles({})
