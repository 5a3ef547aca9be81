"""Exchanges as rows: bodies deflated and exact, events as places in the body; and how old rows go."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tui.core.errors import StoreError
from tui.core.exchange import Exchange, Timings
from tui.core.items import Outcome
from tui.core.request_body import RequestBody
from tui.store.arrivals import pack_arrivals, unpack_arrivals
from tui.store.blobs import forget_user, holds_references, pack_body, unpack

__all__ = ["ExchangePlace", "forget_exchanges", "load", "load_one", "places", "prune", "save"]

_COLUMNS: Final = (
    "id, conversation_id, turn_id, number, started_at, outcome, owner, head,"
    " request_body, response_body, arrivals"
)
_HEAD: Final = ("attempt", "method", "url", "status", "http_version", "error", "usage_line", "model")
_SIZE: Final = "length(request_body) + length(response_body) + length(arrivals)"
"""As the index has it: lengths are known without reading what they are of."""

_AT_ONCE: Final = 8_000_000
"""Bytes that one step of `prune` deletes, about: what is deleted is overwritten, which takes its time."""

_ENDED: Final = "Outcrop was ended while this answer was arriving."


def save(db: sqlite3.Connection, exchange: Exchange, owner: str) -> None:
    """Insert or replace an exchange, inside the caller's transaction.

    Args:
        db: The history.
        exchange: What was recorded; it may still run, and grow.
        owner: Who runs it; empty once it has ended.
    """
    head = {name: getattr(exchange, name) for name in _HEAD}
    head["request_headers"] = exchange.request_headers
    head["response_headers"] = exchange.response_headers
    head["timings"] = asdict(exchange.timings)
    head["request_size"] = len(exchange.sent)
    sent = zlib.compress(pack_body(db, exchange.id, exchange.request_body), 1)
    body, arrivals = pack_arrivals(exchange.chunks, exchange.events)
    db.execute(
        f"INSERT OR REPLACE INTO exchanges ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            exchange.id,
            exchange.conversation_id,
            exchange.turn_id,
            exchange.number,
            exchange.started_at,
            None if exchange.outcome is None else exchange.outcome.value,
            owner,
            json.dumps(head),
            sent,
            body,
            arrivals,
        ),
    )


def load(db: sqlite3.Connection, conversation_id: str) -> list[Exchange]:
    """The exchanges of a conversation, in the order of their numbers."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM exchanges WHERE conversation_id = ? ORDER BY number, started_at",
        (conversation_id,),
    ).fetchall()
    return [_exchange(db, row) for row in rows]


@dataclass(frozen=True, slots=True)
class ExchangePlace:
    """Where an exchange is found.

    Attributes:
        id: Its id.
        conversation_id: Of its conversation.
        number: Within that.
        started_at: Seconds since the epoch.
    """

    id: str
    conversation_id: str
    number: int
    started_at: float


def places(db: sqlite3.Connection, conversation_id: str | None) -> list[ExchangePlace]:
    """Every exchange, or those of a conversation, oldest first; no body is read."""
    rows = db.execute(
        "SELECT id, conversation_id, number, started_at FROM exchanges"
        " WHERE ?1 IS NULL OR conversation_id = ?1 ORDER BY started_at, rowid",
        (conversation_id,),
    )
    return [ExchangePlace(*row) for row in rows]


def load_one(db: sqlite3.Connection, exchange_id: str) -> Exchange | None:
    """One exchange, bodies included; `None` when there is none of that id."""
    row = db.execute(f"SELECT {_COLUMNS} FROM exchanges WHERE id = ?", (exchange_id,)).fetchone()
    return None if row is None else _exchange(db, row)


def prune(db: sqlite3.Connection, most_bytes: int, made_before: float, limit: int = 50) -> bool:
    """Delete some of the exchanges that are too old or too many, the oldest first; one small step.

    Those that still run, and those with a bookmark, stay. What is shared with turns is not counted.

    Args:
        db: The history, inside the caller's transaction.
        most_bytes: What all of them may take in the file; 0 is no limit.
        made_before: Older ones go, seconds since the epoch.
        limit: At most this many in this step.

    Returns:
        Whether any was deleted: there may be more.
    """
    rows = db.execute(
        "SELECT id, started_at FROM exchanges AS e WHERE outcome IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM exchange_notes WHERE exchange_id = e.id AND bookmarked = 1)"
        " ORDER BY started_at LIMIT ?",
        (limit,),
    ).fetchall()
    excess = _taken(db) - most_bytes if most_bytes else 0
    freed = 0
    for exchange_id, started_at in rows:
        if freed >= _AT_ONCE or (started_at >= made_before and freed >= excess):
            return freed > 0
        freed += _forget(db, exchange_id)
    return bool(rows)


def forget_exchanges(db: sqlite3.Connection, exchange_ids: Iterable[str]) -> None:
    """Delete exchanges, what was noted of them, and the attachments that nothing else needs."""
    for exchange_id in exchange_ids:
        _forget(db, exchange_id)


def _forget(db: sqlite3.Connection, exchange_id: str) -> int:
    """Delete an exchange; returns about how many bytes of the file that frees."""
    row = db.execute(f"SELECT {_SIZE} FROM exchanges WHERE id = ?", (exchange_id,)).fetchone()
    freed = forget_user(db, exchange_id)
    db.execute("DELETE FROM exchanges WHERE id = ?", (exchange_id,))
    db.execute("DELETE FROM exchange_notes WHERE exchange_id = ?", (exchange_id,))
    return freed + (row[0] if row else 0)


def _taken(db: sqlite3.Connection) -> int:
    """Bytes that the exchanges take, with the blobs that only they use."""
    own = db.execute(f"SELECT coalesce(sum({_SIZE}), 0) FROM exchanges").fetchone()[0]
    blobs = db.execute(
        "SELECT coalesce(sum(length(data)), 0) FROM blobs AS b WHERE NOT EXISTS"
        " (SELECT 1 FROM uses AS u WHERE u.sha256 = b.sha256"
        " AND NOT EXISTS (SELECT 1 FROM exchanges WHERE id = u.user_id))"
    ).fetchone()[0]
    return int(own) + int(blobs)


def _exchange(db: sqlite3.Connection, row: tuple[Any, ...]) -> Exchange:
    head: dict[str, Any] = json.loads(row[7])
    size: int | None = head.pop("request_size", None)
    chunks, events = unpack_arrivals(row[9], row[10])
    outcome = None if row[5] is None else Outcome(row[5])
    return Exchange(
        id=row[0],
        conversation_id=row[1],
        turn_id=row[2],
        number=row[3],
        started_at=row[4],
        outcome=outcome,
        request_headers=_headers(head["request_headers"]),
        request_body=_sent(db, zlib.decompress(row[8]), size),
        response_headers=_headers(head["response_headers"]),
        chunks=chunks,
        events=events,
        timings=Timings(**head["timings"]),
        error=head["error"] or (_ENDED if outcome is Outcome.FAILED else None),
        **{name: head[name] for name in _HEAD if name != "error"},
    )


def _sent(db: sqlite3.Connection, packed: bytes, size: int | None) -> RequestBody:
    """A body whose parts stay in the file until they are asked for: ten turns may hold the same PDF."""
    if not holds_references(packed):
        return RequestBody(unpack(db, packed))
    name: str = db.execute("PRAGMA database_list").fetchone()[2]
    if not name:  # in memory: no second connection can see it
        return RequestBody(unpack(db, packed))
    path = Path(name)

    def fetch() -> bytes:
        # Asked for in a thread of its own, which cannot use the connection of another.
        try:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as own:
                return unpack(own, packed)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"This request's body is no longer kept: {error}.") from error

    return RequestBody(fetch=fetch, size=size)


def _headers(pairs: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs)
