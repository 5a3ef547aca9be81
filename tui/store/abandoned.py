"""Turns and exchanges that run on in the file while the program that ran them is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tui.core.errors import HistoryUnusable
from tui.core.items import Outcome, Turn
from tui.store import turns, usage
from tui.store.database import Database
from tui.store.process import is_alive

__all__ = ["ENDED_WHILE_RUNNING", "end_abandoned"]

ENDED_WHILE_RUNNING: Final = "Outcrop was ended while this answer was arriving; what had come is kept."


def end_abandoned(database: Database, owner: str, read: Callable[..., dict[str, Turn]]) -> dict[str, Turn]:
    """Mark turns and exchanges as failed whose process is gone.

    Args:
        database: The history.
        owner: Who asks; what it runs itself is left alone.
        read: Gives the turns that a condition with its values selects, by id.

    Returns:
        The turns as they are now, where nothing could be written: a later look writes it down. Else nothing.

    Raises:
        HistoryUnusable: The file is damaged, or cannot be read.
    """
    owners = database.rows(
        "SELECT DISTINCT owner FROM turns WHERE outcome IS NULL"
        " UNION SELECT DISTINCT owner FROM exchanges WHERE outcome IS NULL"
    )
    gone = [name for (name,) in owners if name != owner and not is_alive(name)]
    if not gone:
        return {}
    marks = ", ".join("?" for _ in gone)
    where = f"outcome IS NULL AND owner IN ({marks})"
    # The server goes on with a background turn: it is resumed by its response id, not ended.
    ended_where = f"{where} AND NOT (background = 1 AND response_id IS NOT NULL)"
    where_from = dict(database.rows(f"SELECT id, conversation_id FROM turns WHERE {ended_where}", gone))
    ended = [
        replace(turn, outcome=Outcome.FAILED, error=ENDED_WHILE_RUNNING)
        for turn in read(ended_where, *gone).values()
    ]
    try:
        for turn in ended:
            with database.transaction() as db:
                # Not save_turn: the conversation was not used now, so its place in the list stays.
                changed = db.execute(
                    f"UPDATE turns SET outcome = ?, error = ?, owner = '' WHERE id = ? AND {ended_where}",
                    (Outcome.FAILED.value, ENDED_WHILE_RUNNING, turn.id, *gone),
                )
                if changed.rowcount:  # else another process was faster
                    turns.index_turn(db, turn)
                    usage.save_of_turn(db, where_from[turn.id], turn)
        with database.transaction() as db:
            db.execute(
                f"UPDATE exchanges SET outcome = ?, owner = '' WHERE {where}", (Outcome.FAILED.value, *gone)
            )
    except HistoryUnusable as error:
        if error.damaged:
            raise
        return {turn.id: turn for turn in ended}
    return {}
