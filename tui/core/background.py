"""Background turns, the pure part: when one is possible, how often to ask, what a stored answer brings.

Source: bedrock-facts.md section 2 "Background" and section 3 "Background stream resume".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from tui.core.catalogue import Catalogue
from tui.core.conversation import Conversation
from tui.core.events import OutputItemAdded, OutputItemDone, ResponseEnded, StreamEvent, TextDelta
from tui.core.exchange import Exchange
from tui.core.items import ContinuationMode, Item, Target, Turn

__all__ = [
    "RUNNING",
    "answer_events",
    "is_running",
    "last_sequence_number",
    "poll_interval",
    "running_turns",
    "undelivered",
    "why_not_in_background",
]

RUNNING: Final = frozenset({"queued", "in_progress"})
"""The statuses in which the server is not done with a background response."""

_FIRST_INTERVAL: Final = 1.0
_LONGEST_INTERVAL: Final = 15.0
_LONGEST_AFTER_FAILURES: Final = 60.0
_UNFINISHED: Final = frozenset({"in_progress", "incomplete"})

Payload = Mapping[str, Any]


def why_not_in_background(target: Target, mode: ContinuationMode, catalogue: Catalogue) -> str | None:
    """Why a turn cannot run in the background there, as a sentence with what to do; `None` when it can.

    Args:
        target: Where it would be sent.
        mode: How the conversation continues.
        catalogue: Knows what the API has there; a model nobody knows is tried.
    """
    why_not = catalogue.why_not("background", target.model, target.endpoint, target.api)
    if why_not is not None:
        return f"{why_not} Send it without."
    if mode == "stateless":
        return (
            "A background answer has to be kept by the server until it is fetched, and a stateless "
            "conversation lets it keep nothing: switch to stateful first."
        )
    model = catalogue.model(target.model)
    if model is not None and "background" not in model.features:
        return f"{model.label} has no background turns: send it without, or choose another model."
    return None


def poll_interval(polls: int, failures: int = 0) -> float:
    """Seconds to wait before asking again: growing, so that a long job is not asked for all the time.

    Args:
        polls: How often it has been asked for already.
        failures: How many of the last polls in a row did not get through.
    """
    if failures:
        return min(_LONGEST_AFTER_FAILURES, 2.0 * 2.0 ** min(failures - 1, 10))
    return min(_LONGEST_INTERVAL, _FIRST_INTERVAL * 1.5 ** min(polls, 20))


def is_running(turn: Turn) -> bool:
    """Whether the server may still be at work on this background turn."""
    return turn.background and turn.outcome is None and turn.response_id is not None


def running_turns(conversation: Conversation) -> tuple[Turn, ...]:
    """The background turns of a conversation that have not ended, in the order they were added."""
    return tuple(turn for turn in conversation.turns.values() if is_running(turn))


def last_sequence_number(exchange: Exchange) -> int | None:
    """The `sequence_number` of the last whole event of a stream: where to take it up again."""
    for record in reversed(exchange.events):
        try:
            body: object = json.loads(record.data)
        except ValueError:
            continue
        if isinstance(body, Mapping):
            number = cast("Payload", body).get("sequence_number")
            if isinstance(number, int) and not isinstance(number, bool):
                return number
    return None


def answer_events(response: Payload) -> list[StreamEvent]:
    """The events that a stream would have brought for a response that has ended, one delta a message.

    Items that the server did not finish (a response that was cancelled or failed) give their text as a
    delta and no `OutputItemDone`, so that they are kept as partial text. `ResponseEnded` is the last.
    """
    events: list[StreamEvent] = []
    output: object = response.get("output")
    status = str(response.get("status") or "")
    for index, payload in enumerate(cast("list[object]", output) if isinstance(output, list) else ()):
        if not isinstance(payload, Mapping):
            continue
        item = Item.of(cast("Payload", payload))
        item_id = str(item.payload.get("id") or "")
        events.append(OutputItemAdded(index, item_id, item.type))
        text = Turn("", None, (), 0.0, (item,)).text
        if text:
            events.append(TextDelta(index, item_id, text, refusal='"type":"refusal"' in item.text))
        if status in ("completed", "incomplete") or str(item.payload.get("status")) not in _UNFINISHED:
            events.append(OutputItemDone(index, item))
    events.append(ResponseEnded(status, response))
    return events


def undelivered(events: Sequence[StreamEvent], delivered: str, finished: int = 0) -> list[StreamEvent]:
    """`events` without what was told already: nothing twice, nothing left out.

    Args:
        events: As `answer_events` gives them.
        finished: How many output items, from the first on, were told to be finished.
        delivered: The text of the turn so far. Where the answer does not begin with it, only the rest of
            the events is given: the turn's own text is right in any case, and is shown when it ends.
    """
    whole = "".join(event.delta for event in events if isinstance(event, TextDelta))
    skip = len(delivered) if whole.startswith(delivered) else len(whole)
    rest: list[StreamEvent] = []
    for event in events:
        if isinstance(event, TextDelta):
            shown = min(skip, len(event.delta))
            skip -= shown
            if shown < len(event.delta):
                rest.append(TextDelta(event.output_index, event.item_id, event.delta[shown:], event.refusal))
        elif not isinstance(event, (OutputItemAdded, OutputItemDone)) or event.output_index >= finished:
            rest.append(event)
    return rest
