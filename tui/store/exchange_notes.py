"""Bookmarks and notes on exchanges."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from tui.core.exchange import Exchange

__all__ = ["lay_over", "save"]


def save(db: sqlite3.Connection, exchange_id: str, bookmarked: bool, note: str) -> None:
    """Keep what the user says of an exchange, or forget it when that is nothing."""
    db.execute("DELETE FROM exchange_notes WHERE exchange_id = ?", (exchange_id,))
    if bookmarked or note:
        db.execute("INSERT INTO exchange_notes VALUES (?, ?, ?)", (exchange_id, int(bookmarked), note))


def lay_over(db: sqlite3.Connection, exchanges: Iterable[Exchange]) -> None:
    """Put bookmarks and notes on exchanges that were just read."""
    for exchange in exchanges:
        row = db.execute(
            "SELECT bookmarked, note FROM exchange_notes WHERE exchange_id = ?", (exchange.id,)
        ).fetchone()
        if row is not None:
            exchange.bookmarked, exchange.note = bool(row[0]), row[1]
