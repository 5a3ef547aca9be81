"""Exchanges as rows: bodies deflated and exact, events as places in the body."""

from __future__ import annotations

import json
import sqlite3
import zlib
from dataclasses import asdict, dataclass
from typing import Any, Final

from tui.core.exchange import Chunk, Exchange, SseRecord, Timings
from tui.core.items import Outcome
from tui.store.blobs import pack, unpack

__all__ = ["ExchangePlace", "load", "load_one", "places", "save"]

_COLUMNS: Final = (
    "id, conversation_id, turn_id, number, started_at, outcome, owner, head,"
    " request_body, response_body, arrivals"
)
_HEAD: Final = ("attempt", "method", "url", "status", "http_version", "error", "usage_line", "model")
_ENDED: Final = "Outcrop was ended while this answer was arriving."


def save(db: sqlite3.Connection, exchange: Exchange, owner: str) -> None:
    """Insert or replace an exchange, inside the caller's transaction.

    Args:
        db: The history.
        exchange: What was recorded; it may still run, and grow.
        owner: Who runs it; empty once it has ended.
    """
    chunks = list(exchange.chunks)
    body = b"".join(chunk.data for chunk in chunks)
    head = {name: getattr(exchange, name) for name in _HEAD}
    head["request_headers"] = exchange.request_headers
    head["response_headers"] = exchange.response_headers
    head["timings"] = asdict(exchange.timings)
    events = [
        (e.offset, e.type, e.start, e.end, None if _data(body, e.start, e.end) == e.data else e.data)
        for e in list(exchange.events)
    ]
    arrivals = {"chunks": [(chunk.offset, len(chunk.data)) for chunk in chunks], "events": events}
    db.execute(
        "INSERT OR REPLACE INTO exchanges VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            exchange.id,
            exchange.conversation_id,
            exchange.turn_id,
            exchange.number,
            exchange.started_at,
            None if exchange.outcome is None else exchange.outcome.value,
            owner,
            json.dumps(head),
            zlib.compress(pack(db, exchange.id, exchange.request_body)),
            zlib.compress(body),
            zlib.compress(json.dumps(arrivals).encode()),
        ),
    )


def load(db: sqlite3.Connection, conversation_id: str) -> list[Exchange]:
    """The exchanges of a conversation, in the order of their numbers."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM exchanges WHERE conversation_id = ? ORDER BY number, started_at",
        (conversation_id,),
    ).fetchall()
    cache: dict[bytes, bytes] = {}
    return [_exchange(db, row, cache) for row in rows]


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
    return None if row is None else _exchange(db, row, {})


def _exchange(db: sqlite3.Connection, row: tuple[Any, ...], cache: dict[bytes, bytes]) -> Exchange:
    head: dict[str, Any] = json.loads(row[7])
    arrivals: dict[str, list[list[Any]]] = json.loads(zlib.decompress(row[10]))
    body = zlib.decompress(row[9])
    chunks: list[Chunk] = []
    at = 0
    for offset, size in arrivals["chunks"]:
        chunks.append(Chunk(offset, body[at : at + size]))
        at += size
    events = [
        SseRecord(offset, kind, _data(body, start, end) if data is None else data, start, end)
        for offset, kind, start, end, data in arrivals["events"]
    ]
    outcome = None if row[5] is None else Outcome(row[5])
    return Exchange(
        id=row[0],
        conversation_id=row[1],
        turn_id=row[2],
        number=row[3],
        started_at=row[4],
        outcome=outcome,
        request_headers=_headers(head["request_headers"]),
        request_body=unpack(db, zlib.decompress(row[8]), cache),
        response_headers=_headers(head["response_headers"]),
        chunks=chunks,
        events=events,
        timings=Timings(**head["timings"]),
        error=head["error"] or (_ENDED if outcome is Outcome.FAILED else None),
        **{name: head[name] for name in _HEAD if name != "error"},
    )


def _headers(pairs: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs)


def _data(body: bytes, start: int, end: int) -> str:
    """An event's data as its bytes say it; where that is not what was recorded, the record is stored too."""
    text = body[start:end].decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = [line[5:] for line in text.split("\n") if line.startswith("data:")]
    return "\n".join(line.removeprefix(" ") for line in lines)
