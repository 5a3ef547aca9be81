"""Which events show that an answer goes on, and which only that the connection lives."""

from __future__ import annotations

from typing import Final

from tui.core.events import ArgumentsDelta, ReasoningDelta, ResponseStarted, StreamEvent, TextDelta, Unknown

__all__ = ["Progress"]

_KEEP_ALIVES: Final = frozenset({"", "keepalive", "keep-alive", "keep_alive", "ping", "heartbeat"})


class Progress:
    """Tells events that bring something from those that are sent so that nobody hangs up.

    Those are: types that are named so, a delta without text, and `response.queued` or `response.in_progress`
    said once more. An event that nobody knows counts: it may be a part of the answer.
    """

    def __init__(self) -> None:
        self._status = ""

    def is_made(self, event: StreamEvent) -> bool:
        """Whether the event, which comes after those asked about before, brings something."""
        match event:
            case Unknown():
                return event.type not in _KEEP_ALIVES
            case ResponseStarted():
                before, self._status = self._status, event.status
                return event.status != before
            case TextDelta() | ReasoningDelta() | ArgumentsDelta():
                return bool(event.delta)
            case _:
                return True
