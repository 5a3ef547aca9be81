"""Writing a turn: its row, the search index, the conversation's counters, what the server keeps of it."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from tui.core.errors import StoreError
from tui.core.items import Item, Turn
from tui.core.text import storable
from tui.store.responses import save_of_turn
from tui.store.rows import (
    calls_to_text,
    items_to_text,
    notices_to_text,
    plain_items,
    target_to_text,
    usage_to_text,
)
from tui.store.title import title_of
from tui.store.usage import save_of_turn as save_usage_of_turn

__all__ = ["add_turn", "index_turn", "save_partial", "save_turn"]


def save_turn(
    db: sqlite3.Connection, conversation_id: str, turn: Turn, owner: str, *, same_input: bool
) -> None:
    """Insert or update a turn, inside the caller's transaction.

    Args:
        db: The history.
        conversation_id: The conversation, which must be there.
        turn: The turn.
        owner: Who runs it, while it runs.
        same_input: The row has this input already: large attachments are hashed once, not at every save.

    Raises:
        StoreError: The conversation is not there.
    """
    known = db.execute("SELECT seq, input FROM turns WHERE id = ?", (turn.id,)).fetchone()
    sent = str(known[1]) if known and same_input else items_to_text(db, turn.id, turn.input)
    values = _values(db, conversation_id, turn, sent, owner)
    prompt = _prompt(sent)
    if known is None:
        seq = _insert(db, values, prompt)
    else:
        seq = int(known[0])
        db.execute(_UPDATE_TURN, values)
    _index(db, seq, prompt, turn.text)
    db.execute(_TOUCH, values)
    if turn.stored and turn.response_id and turn.target:
        save_of_turn(db, turn.id)
    save_usage_of_turn(db, conversation_id, turn)


def add_turn(db: sqlite3.Connection, conversation_id: str, turn: Turn) -> None:
    """Insert an ended turn that was not taken here, inside the caller's transaction.

    What it cost and what the server keeps of it are not entered in this machine's books.

    Raises:
        StoreError: The conversation or the turn before is not there.
    """
    sent = items_to_text(db, turn.id, turn.input)
    values = _values(db, conversation_id, turn, sent, "")
    prompt = _prompt(sent)
    _index(db, _insert(db, values, prompt), prompt, turn.text)
    db.execute(_TOUCH, values)


def save_partial(
    db: sqlite3.Connection,
    turn_id: str,
    partial_text: str,
    partial_reasoning: str,
    output: tuple[Item, ...],
    response_id: str | None,
) -> None:
    """Write what a running turn has so far, inside the caller's transaction; an ended one stays."""
    db.execute(
        "UPDATE turns SET partial_text = ?, partial_reasoning = ?, output = ?,"
        " response_id = coalesce(?, response_id) WHERE id = ? AND outcome IS NULL",
        (
            storable(partial_text),
            storable(partial_reasoning),
            items_to_text(db, turn_id, output),
            response_id,
            turn_id,
        ),
    )


def index_turn(db: sqlite3.Connection, turn: Turn) -> None:
    """Make the words of a turn findable as they are now."""
    seq, sent = db.execute("SELECT seq, input FROM turns WHERE id = ?", (turn.id,)).fetchone()
    _index(db, int(seq), _prompt(str(sent)), turn.text)


def _prompt(sent: str) -> str:
    """What the user typed, read from the stored input: its attachments' data is not there, so it is small."""
    return Turn("", None, plain_items(sent), 0.0).prompt


def _insert(db: sqlite3.Connection, values: dict[str, Any], prompt: str) -> int:
    row = db.execute("SELECT title FROM conversations WHERE id = :conversation_id", values).fetchone()
    if row is None:
        raise StoreError(f"There is no conversation {values['conversation_id']} in the history.")
    parent = values["parent_id"]
    if parent is not None and not db.execute("SELECT 1 FROM turns WHERE id = ?", (parent,)).fetchone():
        raise StoreError("The turn that this one goes on from was deleted from the history.")
    seq = db.execute(_INSERT_TURN, values).lastrowid
    title = row[0] or storable(title_of(prompt))
    db.execute(
        "UPDATE conversations SET tip = :id, turn_count = turn_count + 1, title = :title"
        " WHERE id = :conversation_id",
        {**values, "title": title},
    )
    return int(seq or 0)


def _values(
    db: sqlite3.Connection, conversation_id: str, turn: Turn, sent: str, owner: str
) -> dict[str, Any]:
    return {
        "id": turn.id,
        "conversation_id": conversation_id,
        "parent_id": turn.parent_id,
        "created_at": turn.created_at,
        "ended_at": turn.ended_at,
        "outcome": None if turn.outcome is None else turn.outcome.value,
        "target": target_to_text(turn.target),
        "continuation": turn.continuation,
        "response_id": turn.response_id,
        "request_id": turn.request_id,
        "stored": turn.stored,
        "usage": usage_to_text(turn.usage),
        "error": None if turn.error is None else storable(turn.error),
        "notices": notices_to_text(turn.notices),
        "input": sent,
        "output": items_to_text(db, turn.id, turn.output),
        "partial_text": storable(turn.partial_text),
        "partial_reasoning": storable(turn.partial_reasoning),
        "background": turn.background,
        "summary": turn.summary,
        "calls": calls_to_text(turn.calls),
        "text_format": storable(turn.text_format),
        "owner": owner if turn.outcome is None else "",
        "touched": turn.ended_at if turn.ended_at is not None else turn.created_at,
        "model": "" if turn.target is None else turn.target.model,
    }


def _index(db: sqlite3.Connection, seq: int, prompt: str, answer: str) -> None:
    db.execute("DELETE FROM turn_search WHERE rowid = ?", (seq,))
    db.execute(
        "INSERT INTO turn_search (rowid, prompt, answer) VALUES (?, ?, ?)",
        (seq, storable(prompt), storable(answer)),
    )


_INSERT_TURN: Final = """
INSERT INTO turns (id, conversation_id, parent_id, created_at, ended_at, outcome, target, continuation,
                   response_id, request_id, stored, usage, error, notices, input, output, partial_text,
                   partial_reasoning, background, summary, calls, text_format, owner)
VALUES (:id, :conversation_id, :parent_id, :created_at, :ended_at, :outcome, :target, :continuation,
        :response_id, :request_id, :stored, :usage, :error, :notices, :input, :output, :partial_text,
        :partial_reasoning, :background, :summary, :calls, :text_format, :owner)
"""
_UPDATE_TURN: Final = """
UPDATE turns SET ended_at = :ended_at, outcome = :outcome, target = :target, continuation = :continuation,
    response_id = :response_id, request_id = :request_id, stored = :stored, usage = :usage, error = :error,
    notices = :notices, input = :input, output = :output, partial_text = :partial_text,
    partial_reasoning = :partial_reasoning, background = :background, summary = :summary, calls = :calls,
    text_format = :text_format, owner = :owner
WHERE id = :id
"""
_TOUCH: Final = """
UPDATE conversations SET updated_at = max(updated_at, :touched),
    last_model = iif(:model = '', last_model, :model)
WHERE id = :conversation_id
"""
