"""Requests that are sent again: what each came to, and where an edited one branches off its conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, cast

from tui.core.answer import usage_of
from tui.core.conversation import Conversation
from tui.core.exchange import Exchange
from tui.core.items import Item, Turn, assistant_message

__all__ = ["Replay", "Span", "branch_point", "replay_of", "spans_of"]


@dataclass(frozen=True, slots=True)
class Replay:
    """A request that was sent again; a row of the table. `None` is what is not known.

    Attributes:
        exchange_id: Of the attempt that counts, the last one.
        attempts: How many it took.
        status: HTTP status.
        outcome: How it ended, in a word.
        first_byte: Seconds until the first byte of the answer.
        first_text: Seconds until the first text.
        total: Seconds until the end.
        input_tokens: As the server counted them, here and below.
        cached_tokens: Of the input, from the cache.
        written_tokens: Of the input, written to the cache.
        output_tokens: Reasoning included.
        error: A sentence, when it did not complete.
    """

    exchange_id: str
    attempts: int
    status: int | None
    outcome: str
    first_byte: float | None
    first_text: float | None
    total: float | None
    input_tokens: int | None
    cached_tokens: int | None
    written_tokens: int | None
    output_tokens: int | None
    error: str | None


def replay_of(exchange: Exchange, attempts: int = 1, error: str | None = None) -> Replay:
    """What an exchange that has ended came to; `error` says better than the exchange why it failed."""
    usage = usage_of(exchange)
    return Replay(
        exchange_id=exchange.id,
        attempts=attempts,
        status=exchange.status,
        outcome="running" if exchange.outcome is None else exchange.outcome.value,
        first_byte=exchange.timings.first_byte,
        first_text=exchange.timings.first_text,
        total=exchange.timings.ended,
        input_tokens=None if usage is None else usage.input_tokens,
        cached_tokens=None if usage is None else usage.cached_tokens,
        written_tokens=None if usage is None else usage.cache_write_tokens,
        output_tokens=None if usage is None else usage.output_tokens,
        error=error or exchange.error,
    )


@dataclass(frozen=True, slots=True)
class Span:
    """A figure over several replays.

    Attributes:
        name: The attribute of `Replay`.
        least: The smallest.
        middle: The median.
        most: The largest.
    """

    name: str
    least: float
    middle: float
    most: float


def spans_of(replays: Sequence[Replay]) -> list[Span]:
    """Least, median and most of the times and token counts, over those replays that have them."""
    spans: list[Span] = []
    for name in ("first_byte", "first_text", "total", "input_tokens", "cached_tokens", "output_tokens"):
        values = [value for replay in replays if (value := getattr(replay, name)) is not None]
        if values:
            spans.append(Span(name, min(values), median(values), max(values)))
    return spans


def branch_point(
    body: Mapping[str, Any], conversation: Conversation, turn_id: str
) -> tuple[str | None, tuple[Item, ...]]:
    """Where a turn with this body goes in the conversation's tree, so that its path says what was sent.

    Args:
        body: Of the edited request.
        conversation: What it is to be a branch of.
        turn_id: The turn that the original request was sent for; `""` when there is none.

    Returns:
        The parent, `None` for the root, and the items that are new there.

    Raises:
        ValueError: It cannot be a turn there; the text is a sentence.
    """
    items = _items(body.get("input"))
    path = conversation.path(turn_id) if turn_id in conversation.turns else conversation.path()
    previous: object = body.get("previous_response_id")
    parent: str | None = None
    if isinstance(previous, str) and previous:
        anchor = next((turn for turn in conversation.turns.values() if turn.response_id == previous), None)
        if anchor is None:
            raise ValueError(
                f"It goes on from {previous}, which is the response of no turn in this conversation."
            )
        parent = anchor.id
        ids = [turn.id for turn in path]
        path = path[ids.index(anchor.id) + 1 :] if anchor.id in ids else ()
    used = 0
    for turn in path:
        if turn.id == turn_id:
            break
        after = _past(turn, items, used)
        if after is None:
            break
        used, parent = after, turn.id
    if used == len(items):
        raise ValueError("It holds nothing that is not in the conversation already.")
    return parent, tuple(Item.of(item) for item in items[used:])


def _items(value: object) -> list[dict[str, Any]]:
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    entries = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", entry) for entry in entries if isinstance(entry, dict)]


def _past(turn: Turn, items: Sequence[dict[str, Any]], at: int) -> int | None:
    """The index after the items of a turn, when they stand at `at`; reasoning may have been left out."""
    expected = [json.loads(item.text) for item in (*turn.input, *turn.output)]
    if turn.partial_text:
        expected.append(assistant_message(turn.partial_text).payload)
    for item in expected:
        if at < len(items) and items[at] == item:
            at += 1
        elif item.get("type") != "reasoning":
            return None
    return at
