"""Conversations that come from a file: added under ids of their own, never over what is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace

from tui.core.conversation import Conversation
from tui.core.ids import new_id
from tui.core.leaving.document import with_ids
from tui.core.text import storable
from tui.store.turns import add_turn

__all__ = ["add_conversation"]


def add_conversation(
    db: sqlite3.Connection,
    conversation: Conversation,
    save: Callable[[sqlite3.Connection, Conversation], None],
) -> Conversation:
    """Add a conversation with all of its turns, inside the caller's transaction.

    It keeps its ids where none of them is taken, else it gets new ones. Neither the record of what was spent
    here nor that of what the server keeps for this user is touched: a file is no witness for either.

    Args:
        db: The history.
        conversation: What to add; none of its turns is running.
        save: Writes the conversation's own row.

    Returns:
        The conversation as it is in the history.
    """
    if _is_taken(db, conversation):
        conversation = with_ids(conversation, new_id(), [new_id() for _ in conversation.turns])
    save(db, replace(conversation, tip=None))
    for turn in conversation.turns.values():
        add_turn(db, conversation.id, turn)
    # Adding a turn makes it the tip, and gives an untitled conversation the title that it would have got.
    title = storable(conversation.title)
    db.execute(
        "UPDATE conversations SET tip = ?1, title = iif(?2 = '', title, ?2) WHERE id = ?3",
        (conversation.tip, title, conversation.id),
    )
    return conversation


def _is_taken(db: sqlite3.Connection, conversation: Conversation) -> bool:
    if db.execute("SELECT 1 FROM conversations WHERE id = ?", (conversation.id,)).fetchone():
        return True
    query = "SELECT 1 FROM turns WHERE id = ?"
    return any(db.execute(query, (turn_id,)).fetchone() for turn_id in conversation.turns)
