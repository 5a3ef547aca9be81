"""Masks the token in the text of a stream, also where the server echoes it cut across several deltas.

The recorder masks bytes; between the pieces of a token that comes in deltas stand the frames of the events,
so that the bytes never hold it whole. The text that is put together from the deltas would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tui.core.events import (
    ArgumentsDelta,
    OutputItemDone,
    ReasoningDelta,
    ResponseEnded,
    StreamEvent,
    TextDelta,
)
from tui.wire.redact import Redactor, TextRedactor

__all__ = ["DeltaMask"]

_Delta = TextDelta | ReasoningDelta | ArgumentsDelta
_DELTAS: Final = (TextDelta, ReasoningDelta, ArgumentsDelta)
_Key = tuple[type[_Delta], int, str, int]


class DeltaMask:
    """Passes events on with the token masked.

    The end of a delta that is a telling beginning of the token waits for the next one of the same text.

    Args:
        redactor: Masks the token.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        # Of the texts that end in a beginning of the token: the last event, and what waits.
        self._texts: dict[_Key, tuple[_Delta, TextRedactor]] = {}

    def pass_on(self, event: StreamEvent) -> Sequence[StreamEvent]:
        """What is certain by now; the event itself last, unless it is a delta that waits."""
        if isinstance(event, _DELTAS):
            if not self._texts and not self._redactor.may_concern(event.delta):
                return (event,)
            return self._masked(event)
        if isinstance(event, (OutputItemDone, ResponseEnded)):
            return [*self.rest(), event]
        return (event,)

    def _masked(self, event: _Delta) -> Sequence[StreamEvent]:
        part = event.part_index if isinstance(event, ReasoningDelta) else 0
        key = (type(event), event.output_index, event.item_id, part)
        known = self._texts.pop(key, None)
        text = TextRedactor(self._redactor) if known is None else known[1]
        delta = text.feed(event.delta)
        if text.waits:
            self._texts[key] = (event, text)
        if delta == event.delta:
            return (event,)
        return (replace(event, delta=delta),) if delta else ()

    def rest(self) -> list[StreamEvent]:
        """What stands for the beginnings of tokens that were cut off."""
        waiting = [(event, text.finish()) for event, text in self._texts.values()]
        self._texts.clear()
        return [replace(event, delta=delta) for event, delta in waiting if delta]
