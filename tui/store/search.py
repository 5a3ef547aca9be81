"""Full-text search over the turns; what is typed is quoted, never query syntax."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from tui.core.conversation import ConversationSummary
from tui.store.excerpt import excerpt_of

__all__ = ["SUMMARY_COLUMNS", "search", "summary_from_row"]

_EXCERPT_BEFORE: Final = 40
_FEW: Final = 1000
"""Hits of which each is looked at; of a word that is in more turns, conversations are looked through."""
_SAMPLE: Final = 50
"""Turns, the last ones, that tell which letters are rare in this history."""


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
    # Asked once: the index puts together all hits of an unfinished word each time that it is asked.
    newest = db.execute(
        "SELECT rowid FROM turn_search WHERE turn_search MATCH ? ORDER BY rowid DESC", (quoted,)
    )
    first = [row[0] for row in newest.fetchmany(_FEW + 1)]
    hits = _places(db, first) if len(first) <= _FEW else _hits_of_latest(db, first, newest, limit)
    newest.close()
    found: list[ConversationSummary] = []
    for row in _summary_rows(db, hits)[:limit]:
        texts = db.execute(
            "SELECT prompt, answer FROM turn_search WHERE rowid = ?", (hits[row[0]],)
        ).fetchone()
        found.append(summary_from_row(row, excerpt_of(texts, words)))
    return found


def _places(db: sqlite3.Connection, newest: Iterable[int]) -> dict[str, int]:
    """The conversations of turns, given newest first, each with the newest of them."""
    found: dict[str, int] = {}
    for seq in newest:
        row = db.execute("SELECT conversation_id FROM turns WHERE seq = ?", (seq,)).fetchone()
        if row is not None:
            found.setdefault(row[0], seq)
    return found


def _hits_of_latest(
    db: sqlite3.Connection, first: list[int], rest: sqlite3.Cursor, limit: int
) -> dict[str, int]:
    """The conversations with a hit, those used last first, each with its newest one.

    A word that is in many turns is in many conversations: few have to be looked through, and of the hits
    only those down to the oldest turn of these. All of them take a second for a hundred thousand turns.
    """
    found: dict[str, int] = {}
    known, lowest = set(first), first[-1]
    latest = db.execute("SELECT id FROM conversations WHERE turn_count > 0 ORDER BY updated_at DESC")
    for (conversation_id,) in latest:
        for (seq,) in db.execute(
            "SELECT seq FROM turns WHERE conversation_id = ? ORDER BY seq DESC", (conversation_id,)
        ):
            while seq < lowest and (more := rest.fetchmany(_FEW)):
                known.update(row[0] for row in more)
                lowest = more[-1][0]
            if seq in known:
                found[conversation_id] = seq
                break
        if len(found) >= limit:
            break
    latest.close()
    return found


def _as_it_stands(db: sqlite3.Connection, text: str, limit: int) -> list[ConversationSummary]:
    pattern = f"%{_literally(text)}%"
    # The index's own table of texts: it is read in half the time that the index takes to hand it out.
    rows = db.execute(
        r"SELECT id FROM turn_search_content WHERE (c0 LIKE ?1 ESCAPE '\' OR c1 LIKE ?1 ESCAPE '\')"
        r" AND (c0 LIKE ?2 ESCAPE '\' OR c1 LIKE ?2 ESCAPE '\') ORDER BY id DESC LIMIT ?3",
        (f"%{_literally(_from_rarest(db, text))}%", pattern, _FEW),
    )
    hits = _places(db, (row[0] for row in rows))
    titled = db.execute(
        r"SELECT id FROM conversations WHERE turn_count > 0 AND title LIKE ? ESCAPE '\'"
        " ORDER BY updated_at DESC LIMIT ?",
        (pattern, limit),
    )
    latest = _summary_rows(db, dict.fromkeys([*hits, *(row[0] for row in titled)]))[:limit]
    body = "SELECT prompt || char(10) || answer FROM turn_search WHERE rowid = ?"
    return [
        summary_from_row(row, _around(str(db.execute(body, (hits[row[0]],)).fetchone()[0]), text))
        if row[0] in hits
        else summary_from_row(row)
        for row in latest
    ]


def _from_rarest(db: sqlite3.Connection, text: str) -> str:
    """The text from its rarest letter on: SQLite tries at each place that has a pattern's first letter."""
    rows = db.execute(
        "SELECT substr(c0 || c1, 1, 1000) FROM turn_search_content ORDER BY id DESC LIMIT ?", (_SAMPLE,)
    )
    sample = "".join(row[0] or "" for row in rows).lower()
    # Others, and what means something in a pattern, are looked for in a slower way.
    counts = {
        place: sample.count(char.lower())
        for place, char in enumerate(text)
        if char.isascii() and char.isalnum()
    }
    return text[min(counts, key=counts.__getitem__) :] if counts else text


def _summary_rows(db: sqlite3.Connection, ids: Iterable[str]) -> list[tuple[Any, ...]]:
    """`SUMMARY_COLUMNS` of conversations, those used last first."""
    one = f"SELECT {SUMMARY_COLUMNS} FROM conversations AS c WHERE c.id = ?"
    rows = [row for conversation_id in ids for row in db.execute(one, (conversation_id,))]
    return sorted(rows, key=lambda row: row[3], reverse=True)


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
