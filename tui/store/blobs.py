"""What comes again is stored once: a PDF that is in ten requests is in the file one time.

Large data URLs of turns and request bodies are kept by their SHA-256, and so is each large item, instruction
or tool list of a request body: a stateless turn sends all the earlier ones again.

A text or body is packed by putting a short reference in the place of each large base64 run; unpacking
gives the same bytes again. The reference stands between two U+001F, which valid JSON never holds raw;
a body that does hold one is stored as it is, marked by a leading `U+001F =`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import sqlite3
import zlib
from typing import Final

from tui.core.json_places import members

__all__ = ["forget_user", "holds_references", "pack", "pack_body", "unpack", "without_blobs"]

_SMALLEST: Final = 1024  # bytes of base64, or of an item, that are worth a row of their own
_PIECE: Final = 3 << 18
"""Bytes encoded at a time; a multiple of 3."""

_MARK: Final = b"\x1f"
_RAW: Final = b"\x1f="
_PREFIX: Final = b";base64,"
_REFERENCE: Final = re.compile("\x1f[bt][0-9a-f]{64}\x1f")


def pack(db: sqlite3.Connection, user_id: str, data: bytes) -> bytes:
    """Move the large data URLs of `data` into rows of their own, used by `user_id`."""
    if _MARK in data:
        return _RAW + data
    parts: list[bytes] = []
    done = 0
    at = data.find(_PREFIX)
    while at >= 0:
        start = at + len(_PREFIX)
        end = data.find(b'"', start)
        end = len(data) if end < 0 else end
        if end - start >= _SMALLEST:
            parts += [data[done:start], _MARK, _keep(db, user_id, data[start:end]), _MARK]
            done = end
        at = data.find(_PREFIX, end)
    return b"".join([*parts, data[done:]]) if parts else data


def pack_body(db: sqlite3.Connection, user_id: str, body: bytes) -> bytes:
    """Move the large data URLs, elements and members of a request body into rows used by `user_id`.

    A body that is no JSON object keeps all but its data URLs.
    """
    packed = pack(db, user_id, body)
    if packed.startswith(_RAW):
        return packed
    parts: list[bytes] = []
    done = 0
    for start, end in _large_parts(packed):
        parts += [packed[done:start], _MARK, _keep_as(db, user_id, b"p", packed[start:end]), _MARK]
        done = end
    return b"".join([*parts, packed[done:]]) if parts else packed


def _large_parts(packed: bytes) -> list[tuple[int, int]]:
    """Where the large elements of the lists in a packed body are, and its other large members."""
    # Byte for byte: nothing of JSON's own is beyond ASCII. A reference's marks may not stand in a string.
    text = packed.replace(_MARK, b"\x7f").decode("latin-1")
    found: list[tuple[int, int]] = []
    try:
        for _, member in members(text):
            inner = [member]
            if text[member.start] == "[":
                inner = [place for _, place in members(text, member.start)]
            found += [(place.start, place.end) for place in inner if place.end - place.start >= _SMALLEST]
    except ValueError:
        return []
    return found


def unpack(db: sqlite3.Connection, packed: bytes, cache: dict[bytes, bytes] | None = None) -> bytes:
    """The bytes that were packed.

    Args:
        db: Where they were packed.
        packed: What `pack` gave.
        cache: Filled with what was fetched, so that one PDF in many bodies is read once.
    """
    if _MARK not in packed:
        return packed
    if packed.startswith(_RAW):
        return packed[len(_RAW) :]
    parts = packed.split(_MARK)
    cache = {} if cache is None else cache
    for index in range(1, len(parts), 2):
        reference = parts[index]
        if reference not in cache:
            data = _fetch(db, reference)
            cache[reference] = unpack(db, data, cache) if reference[:1] == b"p" else data
        parts[index] = cache[reference]
    return b"".join(parts)


def holds_references(packed: bytes) -> bool:
    """Whether packed data needs the file to be unpacked."""
    return _MARK in packed and not packed.startswith(_RAW)


def without_blobs(packed: str) -> str:
    """Packed text with nothing in the place of each reference: valid JSON, and short."""
    return _REFERENCE.sub("", packed) if "\x1f" in packed else packed


def forget_user(db: sqlite3.Connection, user_id: str) -> int:
    """Say that `user_id` needs no blob any more, and delete those that nobody needs.

    Returns:
        How many bytes were deleted.
    """
    needed = [row[0] for row in db.execute("SELECT sha256 FROM uses WHERE user_id = ?", (user_id,))]
    db.execute("DELETE FROM uses WHERE user_id = ?", (user_id,))
    freed = 0
    for digest in needed:
        row = db.execute(
            "SELECT length(data) FROM blobs WHERE sha256 = ?1"
            " AND NOT EXISTS (SELECT 1 FROM uses WHERE sha256 = ?1)",
            (digest,),
        ).fetchone()
        if row is not None:
            freed += row[0]
            db.execute("DELETE FROM blobs WHERE sha256 = ?", (digest,))
    return freed


def _keep(db: sqlite3.Connection, user_id: str, text: bytes) -> bytes:
    """Store a base64 text, decoded where encoding gives the same text again; returns the reference."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        data = None
    kind = b"b"
    if data is None or base64.b64encode(data) != text:
        kind, data = b"t", text
    return _keep_as(db, user_id, kind, data)


def _keep_as(db: sqlite3.Connection, user_id: str, kind: bytes, data: bytes) -> bytes:
    """Store data that `user_id` needs, unless it is there already; returns the reference."""
    digest = hashlib.sha256(kind + data).hexdigest()
    if not db.execute("SELECT 1 FROM blobs WHERE sha256 = ?", (digest,)).fetchone():
        deflated = _is_worth_deflating(data)
        kept = zlib.compress(data, 1) if deflated else data
        db.execute("INSERT INTO blobs VALUES (?, ?, ?)", (digest, deflated, kept))
    db.execute("INSERT OR IGNORE INTO uses VALUES (?, ?)", (user_id, digest))
    return kind + digest.encode("ascii")


def _is_worth_deflating(data: bytes) -> bool:
    """Judged by a piece of the middle: most PDFs are deflated inside, and 20 MB in vain cost 0.8 s."""
    middle = len(data) // 2
    piece = data[max(0, middle - 32_768) : middle + 32_768]
    return len(zlib.compress(piece, 1)) < 0.9 * len(piece)


def _fetch(db: sqlite3.Connection, reference: bytes) -> bytes:
    digest = reference[1:].decode("ascii")
    row = db.execute("SELECT deflated, data FROM blobs WHERE sha256 = ?", (digest,)).fetchone()
    if row is None:
        raise sqlite3.DatabaseError(f"a part of an attachment is missing ({digest[:12]})")
    data = zlib.decompress(row[1]) if row[0] else bytes(row[1])
    return _encoded(data) if reference[:1] == b"b" else data


def _encoded(data: bytes) -> bytes:
    """As base64, in pieces, so that other threads run in between."""
    return b"".join(base64.b64encode(data[at : at + _PIECE]) for at in range(0, len(data), _PIECE))
