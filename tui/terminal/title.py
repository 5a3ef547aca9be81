"""The terminal's title: which conversation is shown, and whether something has ended in another one.

The title that was there is kept on the terminal's own stack (XTWINOPS 22 and 23, xterm's ctlseqs) and comes
back at the end; a terminal that has none keeps ours. The Linux console prints what it does not know, so it
gets nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.core.text import visible_line

__all__ = ["RESTORE", "SAVE", "title_sequence", "title_words", "understands_titles"]

SAVE: Final = "\x1b[22;0t"
RESTORE: Final = "\x1b[23;0t"
_LONGEST: Final = 80


def understands_titles(environ: Mapping[str, str]) -> bool:
    """Whether a title can be sent to the terminal without being printed."""
    return environ.get("TERM", "dumb") not in ("", "dumb", "linux")


def title_words(title: str, ended: int) -> str:
    """What the title says.

    Args:
        title: The title of the conversation that is shown; may be empty.
        ended: In how many others something has ended that nobody has seen.
    """
    mark = f"({ended}) " if ended else ""
    return f"{mark}{title} · Outcrop" if title else f"{mark}Outcrop"


def title_sequence(text: str) -> str:
    """What to write to the terminal; whatever is in the text, it cannot end the sequence."""
    return f"\x1b]2;{visible_line(text)[:_LONGEST]}\x1b\\"
