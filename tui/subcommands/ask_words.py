"""What `outcrop ask` says to people on stderr, beside the answer."""

from __future__ import annotations

from typing import Final, TextIO

from tui.core.events import Notice, RetryWaiting, SessionEvent, Silence, ToolCallChanged
from tui.core.text import visible, visible_line
from tui.core.way_on import WayOn
from tui.countdown import Countdown

__all__ = ["CountedLine", "say", "way_words", "words_of"]

_COMMANDS: Final = {
    "turn.regenerate": "`outcrop --continue` opens the conversation; /regenerate there",
    "turn.edit": "`outcrop --continue` opens the conversation; /edit there",
    "attachments.open": "`outcrop --continue` opens the conversation; /edit there",
    "conversation.compact": "`outcrop --continue` opens the conversation; /compact there",
    "target.pick": "`outcrop models`",
    "conversation.maxtokens": "max_output_tokens in the config file",
    "token.enter": "`outcrop token set`",
    "checks.open": "`outcrop check`",
}
"""What the command line has for the commands that lead on."""


def say(sentence: str, stream: TextIO) -> None:
    """Print a sentence; an empty one is none."""
    if sentence:
        print(f"outcrop: {visible(sentence)}", file=stream)


def way_words(way: WayOn | None) -> str:
    """How to go on after a turn that did not complete; empty where nothing needs to be done."""
    return f"{_COMMANDS[way.command]} {way.words}." if way is not None else ""


class CountedLine:
    """One line of a terminal on which a wait is counted down; it is gone when the wait is over."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._width = 0
        self._countdown = Countdown(self._tell)

    def start(self, seconds: float) -> None:
        """Count from now on, where it is a terminal."""
        if self._stream.isatty():
            self._countdown.start(seconds)

    def stop(self) -> None:
        """Take the line away."""
        self._countdown.stop()
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0

    def _tell(self, left: int) -> None:
        words = f"Next attempt in {left} s"
        self._stream.write(f"\r{words:<{self._width}}")
        self._stream.flush()
        self._width = max(self._width, len(words))


def words_of(event: SessionEvent) -> str:
    """What a person should know of an event; empty where there is nothing to say yet."""
    match event:
        case Notice():
            return event.text
        case RetryWaiting():
            return (
                f"{event.reason} Trying again in {event.seconds:.1f} s (attempt {event.attempt}); "
                "Ctrl+C stops."
            )
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
