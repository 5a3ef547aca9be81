"""The title of a conversation: the first words of its first prompt."""

from __future__ import annotations

from typing import Final

from tui.core.text import visible_line

__all__ = ["title_of"]

_LONGEST: Final = 60


def title_of(prompt: str) -> str:
    """One line of at most 60 characters, cut between words where that can be done; may be empty."""
    # Only the beginning is looked at: a prompt may be megabytes of pasted text.
    line = visible_line(" ".join(prompt[:2_000].split()))
    if len(line) <= _LONGEST:
        return line
    cut = line[: _LONGEST - 1]
    word_end = cut.rfind(" ")
    return (cut[:word_end] if word_end > _LONGEST // 2 else cut).rstrip() + "…"
