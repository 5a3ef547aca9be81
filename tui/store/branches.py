"""Deleting a branch: its turns, their words in the search index, what was recorded of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from tui.core.errors import StoreError
from tui.core.items import Turn
from tui.core.text import storable
from tui.store.blobs import forget_user
from tui.store.exchanges import forget_exchanges
from tui.store.rows import plain_items
from tui.store.title import title_of

__all__ = ["delete_branch", "forget_turns"]


def delete_branch(
    db: sqlite3.Connection, conversation_id: str, turn_id: str, tip: str | None
) -> tuple[frozenset[str], str]:
    """Delete a turn and all that goes on from it, inside the caller's transaction.

    Args:
        db: The history.
        conversation_id: The conversation.
        turn_id: Where the branch begins.
        tip: Where the conversation stands afterwards.

    Returns:
        The ids of the turns that are gone, none where there is no such turn, and the conversation's title,
        which is another one when it was made of words that are gone.

    Raises:
        StoreError: A turn of the branch is still running; nothing is deleted.
    """
    rows = db.execute(
        "SELECT seq, id, parent_id, created_at, outcome FROM turns WHERE conversation_id = ? ORDER BY seq",
        (conversation_id,),
    ).fetchall()
    gone: dict[str, int] = {}
    began = float("inf")
    for seq, row_id, parent_id, created_at, outcome in rows:
        if row_id == turn_id or parent_id in gone:
            if outcome is None:
                raise StoreError("A turn of this branch is still running: stop it, or let it end, first.")
            gone[row_id] = seq
            began = min(began, created_at)
    title = _title(db, conversation_id)
    if gone:
        title = _retitled(db, conversation_id, title, set(gone.values()))
        forget_exchanges(db, _exchanges_of(db, conversation_id, gone.keys(), began))
        forget_turns(db, gone)
        db.execute(
            "UPDATE conversations SET tip = ?, title = ?, turn_count = ?, last_model = ? WHERE id = ?",
            (tip, title, len(rows) - len(gone), _last_model(db, conversation_id), conversation_id),
        )
    return frozenset(gone), title


def forget_turns(db: sqlite3.Connection, turns: dict[str, int]) -> None:
    """Delete turns with their words in the index and the attachments that nothing else needs.

    Args:
        db: The history.
        turns: The row of each, by id.
    """
    for turn_id, seq in turns.items():
        forget_user(db, turn_id)
        db.execute("DELETE FROM turn_search WHERE rowid = ?", (seq,))
        db.execute("DELETE FROM turns WHERE seq = ?", (seq,))


def _exchanges_of(
    db: sqlite3.Connection, conversation_id: str, turn_ids: Iterable[str], began: float
) -> list[str]:
    """Those of the turns, and those of no turn (summaries) that may have carried the branch."""
    gone = set(turn_ids)
    rows = db.execute(
        "SELECT id, turn_id, started_at FROM exchanges WHERE conversation_id = ?", (conversation_id,)
    )
    return [
        exchange_id
        for exchange_id, turn_id, started_at in rows.fetchall()
        if turn_id in gone or (not turn_id and started_at >= began)
    ]


def _title(db: sqlite3.Connection, conversation_id: str) -> str:
    row = db.execute("SELECT title FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
    return "" if row is None else str(row[0])


def _retitled(db: sqlite3.Connection, conversation_id: str, title: str, gone: set[int]) -> str:
    """The title, or another one where it is the beginning of a prompt that goes and of none that stays."""
    first, found = "", False
    rows = db.execute(
        "SELECT seq, input FROM turns WHERE conversation_id = ? ORDER BY seq", (conversation_id,)
    )
    for seq, sent in rows.fetchall():
        made = storable(title_of(Turn("", None, plain_items(str(sent)), 0.0).prompt))
        if seq not in gone:
            if made == title:
                return title
            first = first or made
        elif made == title:
            found = True
    return first if found else title


def _last_model(db: sqlite3.Connection, conversation_id: str) -> str:
    row = db.execute(
        "SELECT target FROM turns WHERE conversation_id = ? AND target IS NOT NULL ORDER BY seq DESC LIMIT 1",
        (conversation_id,),
    ).fetchone()
    return "" if row is None else str(json.loads(row[0])[0])
