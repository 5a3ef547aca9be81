"""A word to somebody who looks elsewhere: the terminal's bell, and a desktop notification where it has one.

OSC 9 is the one sequence for it that several terminals share. A terminal that does not know it may print it,
so it is sent only to those that are known to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.core.text import visible_line

__all__ = ["notification", "understands_osc_9"]

BELL: Final = "\a"
_PROGRAMS: Final = frozenset({"iTerm.app", "WezTerm", "ghostty", "rio"})
_TERMS: Final = frozenset({"xterm-kitty", "xterm-ghostty", "foot", "foot-extra", "wezterm", "rio"})
_LONGEST: Final = 160


def understands_osc_9(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is known to show OSC 9; inside tmux or screen it would not get there."""
    term = environ.get("TERM", "")
    if "TMUX" in environ or "STY" in environ or term.startswith(("tmux", "screen")):
        return False
    return environ.get("TERM_PROGRAM", "") in _PROGRAMS or term in _TERMS or "KITTY_WINDOW_ID" in environ


def notification(text: str, environ: Mapping[str, str]) -> str:
    """What to write to the terminal: the bell, and before it the text where it can be shown.

    Args:
        text: A line; whatever is in it, it cannot end the sequence, nor mean another of its commands.
        environ: The environment the terminal speaks through.
    """
    if not understands_osc_9(environ):
        return BELL
    # With these words before it, the text is never one of the numbered commands (`9;4;…` is a progress bar).
    line = visible_line(f"Outcrop: {text}")[:_LONGEST]
    return f"\x1b]9;{line}{BELL}{BELL}"
