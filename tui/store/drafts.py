"""Writing and reading drafts: text, which stretches of it are pastes, and the files that go with it.

The text is saved as it is typed, so its row holds nothing large; files have rows of their own, and their
bytes are blobs, which a turn that sends them shares.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from tui.core.attachments import Attachment
from tui.core.drafts import Draft, Span
from tui.core.text import storable
from tui.store.blobs import forget_user, pack, unpack

__all__ = ["forget", "load", "save_files", "save_text"]


def save_text(db: sqlite3.Connection, conversation_id: str, text: str, pastes: Sequence[Span]) -> None:
    """Write the text and its pastes, inside the caller's transaction; an empty text removes them."""
    if text:
        # `storable` puts one character in the place of one: the spans stay right.
        db.execute(
            "INSERT OR REPLACE INTO drafts (conversation_id, text, pastes) VALUES (?, ?, ?)",
            (conversation_id, storable(text), json.dumps([list(span) for span in pastes])),
        )
    else:
        db.execute("DELETE FROM drafts WHERE conversation_id = ?", (conversation_id,))


def save_files(db: sqlite3.Connection, conversation_id: str, files: Sequence[Attachment]) -> None:
    """Write the files in their order instead of those that were there."""
    user = _user(conversation_id)
    before = {row[0] for row in db.execute("SELECT sha256 FROM uses WHERE user_id = ?", (user,))}
    db.execute("DELETE FROM draft_files WHERE conversation_id = ?", (conversation_id,))
    db.execute("DELETE FROM uses WHERE user_id = ?", (user,))
    for place, file in enumerate(files):
        about = {
            "name": file.name,
            "path": file.path,
            "media_type": file.media_type,
            "sha256": file.sha256,
            "pages": file.pages,
            "estimated_tokens": file.estimated_tokens,
            "width": file.width,
            "height": file.height,
            # Only where there is one: programs from before it do not know the word.
            **({"doubt": file.doubt} if file.doubt else {}),
        }
        part = file.content_part()
        url = str(part.get("file_data") or part["image_url"])
        db.execute(
            "INSERT INTO draft_files VALUES (?, ?, ?, ?)",
            (conversation_id, place, json.dumps(about), pack(db, user, f'{url}"'.encode())),
        )
    for digest in before:
        db.execute(
            "DELETE FROM blobs WHERE sha256 = ?1 AND NOT EXISTS (SELECT 1 FROM uses WHERE sha256 = ?1)",
            (digest,),
        )


def load(db: sqlite3.Connection, conversation_id: str) -> Draft:
    """The draft; an empty one where there is none."""
    row = db.execute(
        "SELECT text, pastes FROM drafts WHERE conversation_id = ?", (conversation_id,)
    ).fetchone()
    text, pastes = (str(row[0]), _spans(str(row[1]), len(row[0]))) if row else ("", ())
    files = db.execute(
        "SELECT about, data FROM draft_files WHERE conversation_id = ? ORDER BY place", (conversation_id,)
    )
    return Draft(text, pastes, tuple(_file(db, about, data) for about, data in files.fetchall()))


def forget(db: sqlite3.Connection, conversation_id: str) -> None:
    """Remove the draft of a conversation that is deleted."""
    db.execute("DELETE FROM drafts WHERE conversation_id = ?", (conversation_id,))
    db.execute("DELETE FROM draft_files WHERE conversation_id = ?", (conversation_id,))
    forget_user(db, _user(conversation_id))


def _user(conversation_id: str) -> str:
    return f"draft:{conversation_id}"


def _file(db: sqlite3.Connection, about: str, packed: bytes) -> Attachment:
    import base64

    url = unpack(db, packed)
    values: dict[str, Any] = json.loads(about)
    data = base64.b64decode(url.partition(b";base64,")[2].removesuffix(b'"'))
    return Attachment(**values, data=data)


def _spans(text: str, length: int) -> tuple[Span, ...]:
    """The stretches, as far as they are in order and inside the text."""
    spans: list[Span] = []
    try:
        for first, last in json.loads(text or "[]"):
            if (spans[-1][1] if spans else 0) <= int(first) < int(last) <= length:
                spans.append((int(first), int(last)))
    except (TypeError, ValueError):
        return ()
    return tuple(spans)
