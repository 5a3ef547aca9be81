from __future__ import annotations

import pytest

from tui.terminal.notification import notification, understands_osc_9


@pytest.mark.parametrize(
    ("environ", "known"),
    [
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "foot"}, True),
        ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, True),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux"}, False),
        ({"TERM": "screen-256color", "TERM_PROGRAM": "WezTerm"}, False),
        ({}, False),
    ],
)
def test_only_terminals_that_are_known_get_more_than_the_bell(environ: dict[str, str], known: bool) -> None:
    assert understands_osc_9(environ) is known
    written = notification("Done.", environ)
    assert written == ("\x1b]9;Outcrop: Done.\a\a" if known else "\a")


@pytest.mark.parametrize("text", ["a\x1b]0;owned\x07b", "4;1;50", "a\nb\x9c", "x\a" * 400])
def test_no_text_ends_the_sequence_or_becomes_a_command(text: str) -> None:
    written = notification(text, {"TERM_PROGRAM": "WezTerm"})
    assert written.startswith("\x1b]9;Outcrop: ")
    inner = written[len("\x1b]9;") : -2]
    assert written.endswith("\a\a")
    assert inner.isprintable()
    assert len(inner) <= 160
