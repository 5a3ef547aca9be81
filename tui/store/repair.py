"""The search index made anew where it alone is damaged: all that it holds is in the turns."""

from __future__ import annotations

import sqlite3
from typing import Final

from tui.core.errors import StoreError
from tui.store.database import Database
from tui.store.rows import TURN_COLUMNS, items_reader, turn_from_row
from tui.store.turns import index_turn

__all__ = ["renew_search"]

_INDEX: Final = "turn_search"


def renew_search(database: Database) -> bool:
    """Make the search index anew, if every table but its own is sound.

    Returns:
        Whether it is as good as new; where not, nothing was changed.
    """
    db = database.connection
    try:
        if not _others_are_sound(db):
            return False
        with database.transaction():
            (statement,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (_INDEX,)).fetchone()
            _drop(db)
            db.execute(statement)
            read_items = items_reader(db)
            for row in db.execute(f"SELECT {TURN_COLUMNS} FROM turns ORDER BY seq").fetchall():
                index_turn(db, turn_from_row(row, read_items, row[1]))
    except (sqlite3.Error, StoreError, TypeError, MemoryError):
        return False
    return True


def _drop(db: sqlite3.Connection) -> None:
    """Take the index away with its tables; `DROP TABLE` would have to open it first, which fails."""
    db.execute("PRAGMA writable_schema = ON")
    try:
        db.execute("DELETE FROM sqlite_schema WHERE name = ?", (_INDEX,))
    finally:
        db.execute("PRAGMA writable_schema = RESET")
    names = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE ?", (f"{_INDEX}%",))
    for (name,) in names.fetchall():
        db.execute(f"DROP TABLE {name}")


def _others_are_sound(db: sqlite3.Connection) -> bool:
    names = db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE ?", (f"{_INDEX}%",)
    )
    return all(
        db.execute(f"PRAGMA quick_check('{name}')").fetchone() == ("ok",) for (name,) in names.fetchall()
    )
