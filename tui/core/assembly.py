"""Stream events to a turn: what is finished verbatim, what is not as partial text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from tui.core.events import (
    OutputItemDone,
    ReasoningDelta,
    ResponseEnded,
    ResponseStarted,
    StreamEvent,
    TextDelta,
)
from tui.core.guardrail import REPORT_KEY, guardrail_words
from tui.core.items import Item, Outcome, Turn, Usage
from tui.core.text import storable

__all__ = ["Assembly"]


@dataclass(slots=True)
class Assembly:
    """Collects the events of one attempt.

    Attributes:
        store: Whether the request asked the server to keep the response.
        response_id: The response's id, once known.
        outcome: `None` until a terminal event came.
        usage: Token counts of the terminal event.
        error: What the terminal event said went wrong, in the server's words.
        guardrail: What a guardrail did, in words; empty where none did anything.
        text_began: Whether any text was delivered: after that, nothing may be generated again by itself.
    """

    store: bool
    response_id: str | None = None
    outcome: Outcome | None = None
    usage: Usage | None = None
    error: str | None = None
    guardrail: str = ""
    text_began: bool = False
    _done: dict[int, Item] = field(default_factory=dict[int, Item])
    _texts: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    _reasoning: dict[int, dict[int, list[str]]] = field(default_factory=dict[int, dict[int, list[str]]])

    def take(self, event: StreamEvent) -> None:
        """Take the next event."""
        match event:
            case TextDelta():
                self.text_began = True
                self._texts.setdefault(event.output_index, []).append(event.delta)
            case ReasoningDelta():
                parts = self._reasoning.setdefault(event.output_index, {})
                parts.setdefault(event.part_index, []).append(event.delta)
            case OutputItemDone():
                self._done[event.output_index] = event.item
                self._texts.pop(event.output_index, None)
                self._reasoning.pop(event.output_index, None)
            case ResponseStarted():
                self._take_head(event.response, event.response_id)
            case ResponseEnded():
                self._take_end(event)
            case _:
                pass

    def _take_head(self, response: Mapping[str, Any], response_id: str | None) -> None:
        if response_id is not None:
            # It goes into a URL, and into the history.
            self.response_id = storable(response_id)
        stored = response.get("store")
        if isinstance(stored, bool):
            self.store = stored

    def _take_end(self, event: ResponseEnded) -> None:
        identity = event.response.get("id")
        self._take_head(event.response, identity if isinstance(identity, str) else None)
        try:
            self.outcome = Outcome(event.status)
        except ValueError:
            self.outcome = Outcome.FAILED
        self.usage = Usage.from_payload(event.response.get("usage"))
        self.guardrail = guardrail_words(event.response.get(REPORT_KEY))
        self.error = _reason(event)
        output: object = event.response.get("output")
        if isinstance(output, list) and self.outcome in (Outcome.COMPLETED, Outcome.INCOMPLETE):
            self._take_output(cast("list[object]", output))

    def _take_output(self, output: list[object]) -> None:
        """The final object has every item; those whose own event never came are taken from it."""
        for index, payload in enumerate(output):
            if isinstance(payload, Mapping) and index not in self._done:
                self._done[index] = Item.of(cast("Mapping[str, Any]", payload))
                self._texts.pop(index, None)
                self._reasoning.pop(index, None)

    @property
    def output(self) -> tuple[Item, ...]:
        """The finished items in the server's order."""
        return tuple(self._done[index] for index in sorted(self._done))

    @property
    def partial_text(self) -> str:
        """Text of messages that have not finished."""
        for pieces in self._texts.values():
            # Asked for every half second: tens of thousands of deltas need not stay one by one.
            pieces[:] = ["".join(pieces)]
        return "".join(piece for index in sorted(self._texts) for piece in self._texts[index])

    @property
    def partial_reasoning(self) -> str:
        """Reasoning text of items that have not finished, paragraphs joined by a blank line."""
        return "\n\n".join(
            "".join(parts[part]) for _, parts in sorted(self._reasoning.items()) for part in sorted(parts)
        )

    def onto(self, turn: Turn) -> Turn:
        """`turn` with what has come so far; its outcome is the caller's to set."""
        return replace(
            turn,
            output=self.output,
            partial_text=self.partial_text,
            partial_reasoning=self.partial_reasoning,
            response_id=self.response_id,
            stored=self.store and self.response_id is not None,
            usage=self.usage,
        )


def _reason(event: ResponseEnded) -> str | None:
    error: object = event.response.get("error")
    if isinstance(error, Mapping):
        fields = cast("Mapping[str, object]", error)
        return str(fields.get("message") or fields.get("code") or "") or None
    details: object = event.response.get("incomplete_details")
    if isinstance(details, Mapping):
        return str(cast("Mapping[str, object]", details).get("reason") or "") or None
    return None
