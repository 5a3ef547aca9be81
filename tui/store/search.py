"""Full-text search over the turns; what is typed is quoted, never query syntax."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from tui.core.conversation import ConversationSummary

__all__ = ["SUMMARY_COLUMNS", "search", "summary_from_row"]

_EXCERPT_WORDS: Final = 16
_EXCERPT_BEFORE: Final = 40


def search(db: sqlite3.Connection, text: str, limit: int) -> list[ConversationSummary]:
    """Conversations that hold every word of `text` in one turn or in their title, those used last first.

    Words are looked up in the index; where that finds nothing (signs only, scripts without spaces), the
    text is looked for as it stands, in turns and titles.
    """
    words = [word.replace("\x00", "") for word in text.split()]
    words = [word for word in words if word]
    if not words:
        return []
    found = {summary.id: summary for summary in _by_title(db, words, limit)}
    # One that a turn of which holds the words is shown with the place.
    found |= {summary.id: summary for summary in _by_words(db, words, limit)}
    latest = sorted(found.values(), key=lambda summary: summary.updated_at, reverse=True)
    return latest[:limit] or _as_it_stands(db, " ".join(words), limit)


def _by_title(db: sqlite3.Connection, words: list[str], limit: int) -> list[ConversationSummary]:
    """Conversations in whose title a word begins with each of these."""
    rows = db.execute(
        f"SELECT {SUMMARY_COLUMNS} FROM conversations AS c WHERE turn_count > 0 AND "
        + " AND ".join([r"' ' || c.title LIKE ? ESCAPE '\'"] * len(words))
        + " ORDER BY c.updated_at DESC LIMIT ?",
        (*(f"% {_literally(word)}%" for word in words), limit),
    )
    return [summary_from_row(row) for row in rows]


def _literally(text: str) -> str:
    """Text as it stands in a LIKE pattern."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _by_words(db: sqlite3.Connection, words: list[str], limit: int) -> list[ConversationSummary]:
    quoted = " ".join('"' + word.replace('"', '""') + '"' for word in words) + "*"
    rows = db.execute(
        f"SELECT {SUMMARY_COLUMNS}, max(turn_search.rowid) FROM turn_search"
        " JOIN turns ON turns.seq = turn_search.rowid"
        " JOIN conversations AS c ON c.id = turns.conversation_id"
        " WHERE turn_search MATCH ? GROUP BY c.id ORDER BY c.updated_at DESC LIMIT ?",
        (quoted, limit),
    ).fetchall()
    excerpt = (
        f"SELECT snippet(turn_search, -1, '', '', '…', {_EXCERPT_WORDS}) FROM turn_search"
        " WHERE turn_search MATCH ? AND rowid = ?"
    )
    return [
        summary_from_row(row[:7], str(db.execute(excerpt, (quoted, row[7])).fetchone()[0])) for row in rows
    ]


def _as_it_stands(db: sqlite3.Connection, text: str, limit: int) -> list[ConversationSummary]:
    pattern = f"%{_literally(text)}%"
    found = db.execute(
        f"SELECT {SUMMARY_COLUMNS}, max(turn_search.rowid),"
        " turn_search.prompt || char(10) || turn_search.answer"
        " FROM turn_search JOIN turns ON turns.seq = turn_search.rowid"
        " JOIN conversations AS c ON c.id = turns.conversation_id"
        r" WHERE turn_search.prompt LIKE ?1 ESCAPE '\' OR turn_search.answer LIKE ?1 ESCAPE '\'"
        r" OR c.title LIKE ?1 ESCAPE '\'"
        " GROUP BY c.id ORDER BY c.updated_at DESC LIMIT ?2",
        (pattern, limit),
    )
    return [summary_from_row(row[:7], _around(str(row[8]), text)) for row in found.fetchall()]


SUMMARY_COLUMNS: Final = "c.id, c.title, c.created_at, c.updated_at, c.turn_count, c.sandbox, c.last_model"


def summary_from_row(row: Sequence[Any], excerpt: str = "") -> ConversationSummary:
    """A line of the history list of the columns in `SUMMARY_COLUMNS`."""
    return ConversationSummary(
        id=row[0],
        title=row[1],
        created_at=row[2],
        updated_at=row[3],
        turns=row[4],
        sandbox=bool(row[5]),
        model=row[6],
        excerpt=excerpt,
    )


def _around(body: str, text: str) -> str:
    at = body.lower().find(text.lower())
    if at < 0:
        return ""
    start = max(0, at - _EXCERPT_BEFORE)
    end = at + len(text) + _EXCERPT_BEFORE
    return ("…" if start else "") + body[start:end] + ("…" if end < len(body) else "")
