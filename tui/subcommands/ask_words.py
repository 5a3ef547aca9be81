"""What `outcrop ask` says to people on stderr, beside the answer."""

from __future__ import annotations

from typing import TextIO

from tui.core.events import Notice, RetryWaiting, SessionEvent, Silence, ToolCallChanged
from tui.core.text import visible, visible_line

__all__ = ["say", "words_of"]


def say(sentence: str, stream: TextIO) -> None:
    """Print a sentence; an empty one is none."""
    if sentence:
        print(f"outcrop: {visible(sentence)}", file=stream)


def words_of(event: SessionEvent) -> str:
    """What a person should know of an event; empty where there is nothing to say yet."""
    match event:
        case Notice():
            return event.text
        case RetryWaiting():
            return f"{event.reason} Trying again in {event.seconds:.1f} s (attempt {event.attempt})."
        case Silence():
            return f"No event for {event.seconds:.0f} s; Ctrl+C stops."
        case ToolCallChanged():
            return _call_words(event)
        case _:
            return ""


def _call_words(event: ToolCallChanged) -> str:
    record = event.record
    if not record.state.has_ended:
        return ""
    took = f" after {record.seconds:.1f} s" if record.seconds is not None else ""
    words = {"done": "has run", "failed": "failed", "refused": "was not run"}[record.state.value]
    what = f": {' '.join(record.output.split())[:200]}" if record.state.value == "failed" else ""
    return f"{visible_line(event.call.name)} {words}{took}{what}."
