"""Conversations as a JSON file that another Outcrop, or any program, can read.

    {"format": "outcrop conversations", "version": 1, "conversations": [{"id": …, "turns": […], …}]}

Every turn of every branch is in it, in the order in which they were added, with its items as the server and
the user wrote them, attachments included: read back, the conversation is equal. An item is an object where
that gives the same text again, else the text itself. Permissions stay behind (which tools may run unasked),
and what was still running comes back as ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from typing import Any, Final, cast

from tui.core.catalogue import API_NAMES, is_region
from tui.core.controls import Controls
from tui.core.conversation import Conversation
from tui.core.errors import InputError
from tui.core.export.request import Export
from tui.core.items import Item, Outcome, Target, Turn, Usage, dump_json, encodable
from tui.core.leaving.fields import Fields, parse_json
from tui.core.text import storable
from tui.core.tool_calls import CallRecord
from tui.core.tools import ToolUse

__all__ = ["FORMAT", "RUNNING", "VERSION", "as_document", "read_document", "with_ids"]

FORMAT: Final = "outcrop conversations"
VERSION: Final = 1
RUNNING: Final = "This answer was still arriving when the conversation was exported; what had come is here."

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_OUTCOMES: Final = tuple(outcome.value for outcome in Outcome)
_MODES: Final = ("stateful", "stateless")
_PLAIN: Final = ("title", "instructions")
_PLACE: Final = ("model", "region", "endpoint", "api")
_APIS: Final = tuple(API_NAMES)


# -- writing ---------------------------------------------------------------------------------------------


def as_document(conversations: Iterable[Conversation], version: str) -> Export:
    """A file of conversations; with attachments it is large: call it off the event loop.

    Args:
        conversations: What to put in.
        version: Of this program.
    """
    value = {
        "format": FORMAT,
        "version": VERSION,
        "creator": f"Outcrop {version}",
        "conversations": [_conversation(conversation) for conversation in conversations],
    }
    text = encodable(json.dumps(value, ensure_ascii=False, indent=1)) + "\n"
    return Export(text.encode(), "json")


def _conversation(conversation: Conversation) -> dict[str, Any]:
    # Which tools may run without a question is a permission of this machine.
    tools = replace(
        conversation.tools, on=tuple(replace(tool, allowed=False) for tool in conversation.tools.on)
    )
    return {
        "id": conversation.id,
        "title": conversation.title,
        "created_at": conversation.created_at,
        "sandbox": conversation.sandbox,
        "continuation": conversation.continuation,
        "instructions": conversation.instructions,
        **{name: getattr(conversation, name) for name in _PLACE},
        "lost": sorted(conversation.lost),
        "controls": conversation.controls.as_json(),
        "tools": tools.as_json(),
        "tip": conversation.tip,
        "turns": [_turn(turn) for turn in conversation.turns.values()],
    }


def _turn(turn: Turn) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": turn.id,
        "parent_id": turn.parent_id,
        "created_at": turn.created_at,
        "ended_at": turn.ended_at,
        "outcome": None if turn.outcome is None else turn.outcome.value,
        "target": None if turn.target is None else asdict(turn.target),
        "continuation": turn.continuation,
        "response_id": turn.response_id,
        "request_id": turn.request_id,
        "stored": turn.stored,
        "usage": None if turn.usage is None else turn.usage.as_dict(),
        "error": turn.error,
        "notices": list(turn.notices),
        "background": turn.background,
        "summary": turn.summary,
        "partial_text": turn.partial_text,
        "partial_reasoning": turn.partial_reasoning,
        "text_format": turn.text_format,
        "calls": [call.as_json() for call in turn.calls],
        "input": [_item(item.text) for item in turn.input],
        "output": [_item(item.text) for item in turn.output],
    }
    always = ("parent_id", "outcome")
    return {name: value for name, value in row.items() if name in always or not _is_nothing(value)}


def _is_nothing(value: object) -> bool:
    return value is None or value is False or value in ("", [])


def _item(text: str) -> object:
    try:
        value = parse_json(text)
    except ValueError:
        return text
    is_same = isinstance(value, dict) and dump_json(cast("object", value)) == text
    return cast("object", value) if is_same else text


# -- reading ---------------------------------------------------------------------------------------------


def read_document(data: bytes) -> tuple[Conversation, ...]:
    """The conversations of a file.

    Raises:
        InputError: It is no such file, one of a newer version, or damaged; the sentence says where.
    """
    try:
        document = Fields.of(parse_json(data), "the file")
    except ValueError as error:
        raise InputError(f"It is no JSON: {error}.") from None
    document = Fields(document.values, "")
    if document.values.get("format") != FORMAT:
        raise InputError(f"It is no file of conversations: its `format` is not {FORMAT!r}.")
    version = document.count("version")
    if version != VERSION:
        raise InputError(f"It is of version {version}; this Outcrop reads version {VERSION}.")
    rows = [_read_conversation(Fields.of(value, place)) for place, value in document.rows("conversations")]
    if not rows:
        raise InputError("There is no conversation in it.")
    ids = [conversation.id for conversation in rows]
    if len(set(ids)) < len(ids):
        raise InputError("Two of its conversations have the same id.")
    return tuple(rows)


def _read_conversation(row: Fields) -> Conversation:
    turns: dict[str, Turn] = {}
    for place, value in row.rows("turns"):
        turn = _read_turn(Fields.of(value, place))
        if turn.id in turns:
            raise InputError(f"{place}.id is that of an earlier turn.")
        if turn.parent_id is not None and turn.parent_id not in turns:
            raise InputError(f"{place}.parent_id must be the id of an earlier turn.")
        turns[turn.id] = turn
    tip = row.optional_text("tip")
    if tip is not None and tip not in turns:
        raise InputError(f"{row.place}.tip must be the id of one of its turns.")
    if row.values.get("api") is not None:
        row.choice("api", _APIS)
    if (region := row.optional_text("region")) is not None and not is_region(region):
        raise InputError(f"{row.place}.region must be a region, such as us-west-2.")
    return Conversation(
        id=_id(row, "id"),
        created_at=row.time("created_at"),
        sandbox=row.flag("sandbox"),
        continuation=cast("Any", row.choice("continuation", _MODES, "stateful")),
        **{name: row.text(name, "") for name in _PLAIN},
        **cast("Any", {name: row.optional_text(name) for name in _PLACE}),
        turns=turns,
        tip=tip,
        lost=frozenset(row.texts("lost")),
        controls=_read_controls(row.inner("controls")),
        tools=_read_tools(row.inner("tools")),
    )


def _read_turn(row: Fields) -> Turn:
    target = row.values.get("target")
    usage = row.values.get("usage")
    outcome = None
    if row.values.get("outcome") is not None:
        outcome = Outcome(row.choice("outcome", _OUTCOMES))
    error = row.optional_text("error") or None
    return Turn(
        id=_id(row, "id"),
        parent_id=row.optional_text("parent_id"),
        input=_read_items(row, "input"),
        created_at=row.time("created_at"),
        output=_read_items(row, "output"),
        partial_text=row.text("partial_text", ""),
        partial_reasoning=row.text("partial_reasoning", ""),
        # Nothing runs here that could still end it.
        outcome=outcome or Outcome.FAILED,
        target=None if target is None else _read_target(row.inner("target")),
        continuation=cast("Any", row.choice("continuation", _MODES, "stateful")),
        response_id=row.optional_text("response_id") or None,
        request_id=row.optional_text("request_id") or None,
        stored=row.flag("stored"),
        usage=None if usage is None else _read_usage(row.inner("usage")),
        error=error if outcome is not None else error or RUNNING,
        ended_at=row.optional_time("ended_at"),
        notices=row.texts("notices"),
        background=row.flag("background"),
        summary=row.flag("summary"),
        calls=tuple(_read_call(place, value) for place, value in row.rows("calls")),
        text_format=_read_format(row, "text_format"),
    )


def _id(row: Fields, name: str) -> str:
    value = row.text(name)
    if not _ID.fullmatch(value):
        raise InputError(f"{row.place}.{name} must be letters, digits, - and _, 64 of them at most.")
    return value


def _read_items(row: Fields, name: str) -> tuple[Item, ...]:
    items: list[Item] = []
    for place, value in row.rows(name):
        if isinstance(value, dict):
            items.append(Item.of(cast("dict[str, Any]", value)))
        elif isinstance(value, str) and _is_object(value):
            items.append(Item(value))
        else:
            raise InputError(f"{place} must be an object, or the text of one.")
    return tuple(items)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _read_target(row: Fields) -> Target:
    known = {field.name for field in fields(Target)}
    values: dict[str, Any] = {"sandbox": row.flag("sandbox")}
    values |= {name: row.text(name) for name in ("model", "region", "endpoint", "base_url")}
    values |= {name: row.text(name) for name in row.values if name in known and name not in values}
    row.choice("api", _APIS, "responses")
    return Target(**values)


def _read_usage(row: Fields) -> Usage:
    return Usage(**{name: row.count(name) for name in Usage().as_dict()})


def _read_call(place: str, value: object) -> CallRecord:
    record = CallRecord.from_json(value)
    if record is None:
        raise InputError(f"{place} must be the record of a tool's call.")
    return record


def _read_format(row: Fields, name: str) -> str:
    text = row.text(name, "")
    if text and not _is_object(text):
        raise InputError(f"{row.place}.{name} must be the text of a JSON object.")
    return text


def _storable(row: Fields) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(storable(dump_json(dict(row.values)))))


def _read_controls(row: Fields) -> Controls:
    _read_format(row, "text_format")
    return Controls.from_json(_storable(row))


def _read_tools(row: Fields) -> ToolUse:
    use = ToolUse.from_json(_storable(row))
    for tool in use.on:
        if not _is_object(tool.definition):
            raise InputError(f"{row.place}.on: the definition of a tool must be the text of a JSON object.")
    return replace(use, on=tuple(replace(tool, allowed=False) for tool in use.on))


# -- taking in -------------------------------------------------------------------------------------------


def with_ids(conversation: Conversation, conversation_id: str, turn_ids: Iterable[str]) -> Conversation:
    """The same conversation under other ids, one of `turn_ids` for each of its turns in their order."""
    names = dict(zip(conversation.turns, turn_ids, strict=True))
    turns = [
        replace(turn, id=names[turn.id], parent_id=None if turn.parent_id is None else names[turn.parent_id])
        for turn in conversation.turns.values()
    ]
    tip = None if conversation.tip is None else names[conversation.tip]
    return replace(conversation, id=conversation_id, turns={turn.id: turn for turn in turns}, tip=tip)
