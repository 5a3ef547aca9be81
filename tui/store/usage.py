"""What was used: one row for each response that the server made, whoever asked for it."""

from __future__ import annotations

import json
import sqlite3

from tui.core.items import Turn, Usage
from tui.core.usage import UsageKind, UsageRecord
from tui.store.rows import usage_to_text

__all__ = ["load", "save", "save_of_turn"]


def save(db: sqlite3.Connection, record: UsageRecord) -> None:
    """Insert a record or replace it, inside the caller's transaction."""
    db.execute(
        "INSERT OR REPLACE INTO usage_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.id,
            record.at,
            record.conversation_id,
            record.kind,
            record.model,
            record.region,
            record.endpoint,
            record.sandbox,
            usage_to_text(record.usage),
        ),
    )


def save_of_turn(db: sqlite3.Connection, conversation_id: str, turn: Turn) -> None:
    """Record what an ended turn came to; one that never reached a response cost nothing."""
    target = turn.target
    if turn.outcome is None or turn.summary or target is None:
        return
    if turn.usage is None and turn.response_id is None:
        return
    kind: UsageKind = "turn"
    save(
        db,
        UsageRecord(
            turn.id,
            turn.created_at,
            conversation_id,
            kind,
            target.model,
            target.region,
            target.endpoint,
            target.sandbox,
            turn.usage,
        ),
    )


def load(db: sqlite3.Connection, since: float, sandbox: bool, conversation_id: str = "") -> list[UsageRecord]:
    """The records from a moment on, oldest first.

    Args:
        db: The history.
        since: Seconds since the epoch.
        sandbox: Those of the sandbox, or those of the service: never both.
        conversation_id: Only this conversation's, if given.
    """
    rows = db.execute(
        "SELECT id, at, conversation_id, kind, model, region, endpoint, sandbox, usage FROM usage_records"
        " WHERE at >= ?1 AND sandbox = ?2 AND (?3 = '' OR conversation_id = ?3) ORDER BY at, rowid",
        (since, sandbox, conversation_id),
    )
    return [_record(*row) for row in rows]


def _record(
    row_id: str,
    at: float,
    conversation_id: str,
    kind: UsageKind,
    model: str,
    region: str,
    endpoint: str,
    sandbox: int,
    usage: str | None,
) -> UsageRecord:
    counts = None if usage is None else Usage(*json.loads(usage))
    return UsageRecord(row_id, at, conversation_id, kind, model, region, endpoint, bool(sandbox), counts)
