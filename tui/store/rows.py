"""Turns and small values as columns, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from tui.core.items import Item, Outcome, Target, Turn, Usage, encodable
from tui.core.text import storable
from tui.core.tool_calls import CallRecord
from tui.store.blobs import pack, unpack, without_blobs

__all__ = [
    "TURN_COLUMNS",
    "calls_from_text",
    "calls_to_text",
    "items_reader",
    "items_to_text",
    "notices_to_text",
    "plain_items",
    "target_from_text",
    "target_to_text",
    "turn_from_row",
    "usage_to_text",
]

TURN_COLUMNS: Final = (
    "id, parent_id, created_at, ended_at, outcome, target, continuation, response_id, request_id, stored, "
    "usage, error, notices, input, output, partial_text, partial_reasoning, background, summary, "
    "calls, text_format"
)

_SEPARATOR: Final = "\x1e"  # valid JSON never holds it raw


def items_to_text(db: sqlite3.Connection, user_id: str, items: Sequence[Item]) -> str:
    """Items as one text, their large attachments moved to the blobs.

    UTF-8 cannot carry a lone surrogate, so it becomes its JSON escape: the same item, spelled otherwise.
    """
    text = encodable(_SEPARATOR.join(item.text for item in items))
    if len(text) < 1024:
        return text
    return pack(db, user_id, text.encode()).decode()


def items_reader(db: sqlite3.Connection) -> Callable[[str], tuple[Item, ...]]:
    """A function that gives the items of a stored text; it fetches an attachment once, and parses no JSON."""
    cache: dict[bytes, bytes] = {}

    def read(text: str) -> tuple[Item, ...]:
        if not text:
            return ()
        if "\x1f" in text:
            text = unpack(db, text.encode(), cache).decode()
        if _SEPARATOR not in text:
            return (Item(text),)
        return tuple(map(Item, text.split(_SEPARATOR)))

    return read


def plain_items(text: str) -> tuple[Item, ...]:
    """Stored items without their attachments' data: small, for making search text of them."""
    return tuple(map(Item, without_blobs(text).split(_SEPARATOR))) if text else ()


def target_to_text(target: Target | None) -> str | None:
    """A target as a column."""
    if target is None:
        return None
    fields = [target.model, target.region, target.endpoint, target.base_url, target.sandbox]
    # Rows from before there were other APIs than Responses read, and compare, as those of today.
    return json.dumps(fields if target.api == "responses" else [*fields, target.api])


@lru_cache(maxsize=256)
def target_from_text(text: str | None) -> Target | None:
    """The target of a column; equal ones are one object."""
    return None if text is None else Target(*json.loads(text))


def usage_to_text(usage: Usage | None) -> str | None:
    """Token counts as a column: six numbers, or nothing where the server said nothing."""
    if usage is None:
        return None
    return json.dumps(list(usage.as_dict().values()))


_OUTCOMES: Final[dict[str | None, Outcome | None]] = {None: None, **{o.value: o for o in Outcome}}

_read_json: Final = json.JSONDecoder().raw_decode
"""Of what this program wrote, without blanks around it: half the time of `json.loads`."""


def turn_from_row(
    row: Sequence[Any], read_items: Callable[[str], tuple[Item, ...]], parent_id: str | None
) -> Turn:
    """A turn of the columns in `TURN_COLUMNS`; `parent_id` is taken in the place of the equal one in the row.

    Positional and without detours: a conversation of ten thousand turns makes ten thousand of them.
    """
    (
        turn_id, _, created_at, ended_at, outcome, target, continuation, response_id, request_id, stored,
        usage, error, notices, sent, output, partial_text, partial_reasoning, background, summary, calls,
        text_format,
    ) = row  # fmt: skip
    return Turn(
        turn_id,
        parent_id,
        read_items(sent),
        created_at,
        read_items(output),
        partial_text,
        partial_reasoning,
        _OUTCOMES[outcome],
        target_from_text(target),
        continuation,
        response_id,
        request_id,
        stored == 1,
        None if usage is None else Usage(*_read_json(usage)[0]),
        error,
        ended_at,
        tuple(json.loads(notices)) if notices else (),
        background == 1,
        summary == 1,
        calls_from_text(calls) if calls else (),
        text_format,
    )


def notices_to_text(notices: Sequence[str]) -> str:
    """Notices as a column; empty when there are none."""
    return json.dumps([storable(notice) for notice in notices]) if notices else ""


def calls_to_text(calls: Sequence[CallRecord]) -> str:
    """What became of a turn's tool calls, as a column; empty where nothing did."""
    return storable(json.dumps([call.as_json() for call in calls])) if calls else ""


def calls_from_text(text: str) -> tuple[CallRecord, ...]:
    """The records of a column."""
    records = (CallRecord.from_json(value) for value in json.loads(text))
    return tuple(record for record in records if record is not None)
