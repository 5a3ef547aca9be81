"""Turns and small values as columns, and back."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from tui.core.items import Item, Outcome, Target, Turn, Usage
from tui.core.text import storable
from tui.store.blobs import pack, unpack, without_blobs

__all__ = [
    "TURN_COLUMNS",
    "items_to_text",
    "notices_to_text",
    "plain_items",
    "target_from_text",
    "target_to_text",
    "text_to_items",
    "turn_from_row",
    "usage_to_text",
]

TURN_COLUMNS: Final = (
    "id, parent_id, created_at, ended_at, outcome, target, continuation, response_id, request_id, stored, "
    "usage, error, notices, input, output, partial_text, partial_reasoning"
)

_SEPARATOR: Final = "\x1e"  # valid JSON never holds it raw
_LIST: Final = "\x1e["  # how items that do hold it begin: a separator, then a JSON list of texts
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def items_to_text(db: sqlite3.Connection, user_id: str, items: Sequence[Item]) -> str:
    """Items as one text, their large attachments moved to the blobs.

    UTF-8 cannot carry a lone surrogate, so it becomes its JSON escape: the same item, spelled otherwise.
    """
    text = _SEPARATOR.join(item.text for item in items)
    if text.count(_SEPARATOR) >= max(len(items), 1):
        text = _SEPARATOR + json.dumps([item.text for item in items])
    elif _SURROGATE.search(text):
        text = _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    if len(text) < 1024:
        return pack(db, user_id, text.encode()).decode() if "\x1f" in text else text
    return pack(db, user_id, text.encode()).decode()


def text_to_items(db: sqlite3.Connection, text: str, cache: dict[bytes, bytes]) -> tuple[Item, ...]:
    """The items that were stored; their JSON is not parsed."""
    if not text:
        return ()
    if "\x1f" in text:
        text = unpack(db, text.encode(), cache).decode()
    return _split(text)


def plain_items(text: str) -> tuple[Item, ...]:
    """Stored items without their attachments' data: small, for making search text of them."""
    return _split(without_blobs(text)) if text and not text.startswith("\x1f=") else ()


def _split(text: str) -> tuple[Item, ...]:
    if _SEPARATOR not in text:
        return (Item(text),)
    if text.startswith(_LIST):
        return tuple(Item(part) for part in cast("list[str]", json.loads(text[len(_SEPARATOR) :])))
    return tuple(map(Item, text.split(_SEPARATOR)))


def target_to_text(target: Target | None) -> str | None:
    """A target as a column."""
    if target is None:
        return None
    fields = [target.model, target.region, target.endpoint, target.base_url, target.sandbox]
    return json.dumps(fields)


@lru_cache(maxsize=256)
def target_from_text(text: str | None) -> Target | None:
    """The target of a column; equal ones are one object."""
    return None if text is None else Target(*json.loads(text))


def usage_to_text(usage: Usage | None) -> str | None:
    """Token counts as a column: six numbers, or nothing where the server said nothing."""
    if usage is None:
        return None
    return ",".join("" if count is None else str(count) for count in usage.as_dict().values())


def _usage(text: str | None) -> Usage | None:
    if text is None:
        return None
    return Usage(*[int(count) if count else None for count in text.split(",")])


_OUTCOMES: Final[dict[str | None, Outcome | None]] = {None: None, **{o.value: o for o in Outcome}}


def turn_from_row(row: Sequence[Any], read_items: Callable[[str], tuple[Item, ...]]) -> Turn:
    """A turn of the columns in `TURN_COLUMNS`."""
    notices = row[12]
    return Turn(
        id=row[0],
        parent_id=row[1],
        created_at=row[2],
        ended_at=row[3],
        outcome=_OUTCOMES[row[4]],
        target=target_from_text(row[5]),
        continuation=row[6],
        response_id=row[7],
        request_id=row[8],
        stored=bool(row[9]),
        usage=_usage(row[10]),
        error=row[11],
        notices=tuple(json.loads(notices)) if notices else (),
        input=read_items(row[13]),
        output=read_items(row[14]),
        partial_text=row[15],
        partial_reasoning=row[16],
    )


def notices_to_text(notices: Sequence[str]) -> str:
    """Notices as a column; empty when there are none."""
    return json.dumps([storable(notice) for notice in notices]) if notices else ""
