"""What the server keeps: stored responses as rows.

A row outlives its conversation: the server keeps the response until it is deleted there, or for 30 days.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from tui.core.items import Target
from tui.store.rows import target_from_text, target_to_text

__all__ = ["StoredResponse", "load", "mark_deleted", "mark_expired", "save", "save_of_turn"]


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response that the server keeps, or kept.

    Attributes:
        response_id: The server's id.
        target: Where it was made; it can be used, retrieved and deleted only there.
        created_at: Seconds since the epoch; the server deletes it 30 days later (bedrock-facts.md 1.5).
        conversation_id: The conversation it belongs to; that may be deleted here already.
        deleted_at: When it was found to be gone from the server; `None` while it is kept.
        delete_wanted: It is to be deleted, and the server could not be made to yet.
        unsure: Its turn was stopped or failed: the server may have kept nothing of it.
    """

    response_id: str
    target: Target
    created_at: float
    conversation_id: str
    deleted_at: float | None
    delete_wanted: bool = False
    unsure: bool = False


def save_of_turn(db: sqlite3.Connection, turn_id: str) -> None:
    """Add the response of a turn, inside the caller's transaction; one that is known stays as it is."""
    db.execute(
        "INSERT INTO stored_responses (response_id, target, created_at, conversation_id)"
        " SELECT response_id, target, created_at, conversation_id FROM turns"
        " WHERE id = ? AND response_id IS NOT NULL AND target IS NOT NULL"
        " ON CONFLICT (response_id) DO NOTHING",
        (turn_id,),
    )


def save(
    db: sqlite3.Connection, response_id: str, target: Target, created_at: float, conversation_id: str
) -> None:
    """Add a response that belongs to no turn, inside the caller's transaction."""
    db.execute(
        "INSERT INTO stored_responses (response_id, target, created_at, conversation_id) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (response_id) DO NOTHING",
        (response_id, target_to_text(target), created_at, conversation_id),
    )


def load(db: sqlite3.Connection, *, deleted: bool) -> list[StoredResponse]:
    """Those that are kept, or those that are gone; newest first."""
    rows = db.execute(
        "SELECT response_id, target, created_at, conversation_id, deleted_at, delete_wanted,"
        " response_id IN (SELECT response_id FROM turns"
        " WHERE outcome IN ('cancelled', 'failed') AND response_id IS NOT NULL)"
        " FROM stored_responses WHERE (deleted_at IS NOT NULL) = ? ORDER BY created_at DESC, rowid DESC",
        (deleted,),
    )
    return [_stored(row) for row in rows]


def mark_expired(db: sqlite3.Connection, made_before: float, lifetime: float) -> None:
    """Take those for gone that the server has deleted by itself, inside the caller's transaction.

    Args:
        db: The history.
        made_before: Seconds since the epoch.
        lifetime: How long the server keeps a response, seconds.
    """
    db.execute(
        "UPDATE stored_responses SET deleted_at = created_at + ?, delete_wanted = 0"
        " WHERE deleted_at IS NULL AND created_at < ?",
        (lifetime, made_before),
    )


def mark_deleted(db: sqlite3.Connection, response_id: str, at: float) -> None:
    """Remember that the server no longer has it, and that its conversation cannot be continued from it."""
    row = db.execute(
        "UPDATE stored_responses SET deleted_at = ?, delete_wanted = 0 WHERE response_id = ?"
        " RETURNING conversation_id",
        (at, response_id),
    ).fetchone()
    if row is None:
        return
    known = db.execute("SELECT lost FROM conversations WHERE id = ?", (row[0],)).fetchone()
    if known is None:
        return
    lost = {*(json.loads(known[0]) if known[0] else ()), response_id}
    db.execute("UPDATE conversations SET lost = ? WHERE id = ?", (json.dumps(sorted(lost)), row[0]))


def _stored(row: tuple[str, str, float, str, float | None, int, int]) -> StoredResponse:
    target = target_from_text(row[1])
    assert target is not None  # save_of_turn
    return StoredResponse(row[0], target, row[2], row[3], row[4], row[5] == 1, row[6] == 1)
