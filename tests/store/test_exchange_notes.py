"""Bookmarks and notes stay with their exchange, and go with it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from support.store_support import conversation

from tui.core.exchange import Chunk, Exchange
from tui.store.history import History


def one(number: int) -> Exchange:
    return Exchange(
        f"e{number}", number, 1, "c1", "", "POST", "https://host/openai/v1/responses", (), b"{}", 1.0,
        chunks=[Chunk(0.1, b"{}")],
    )  # fmt: skip


def test_a_note_outlives_the_program_and_the_exchange_s_own_writes(tmp_path: Path) -> None:
    history = History(tmp_path / "history.db")
    history.save_conversation(conversation())
    # It may be said while the answer is still arriving and nothing is on disk yet.
    history.note_exchange("e1", True, "why did it miss?")
    history.save_exchange(one(1))
    history.save_exchange(one(2))
    history.save_exchange(one(1))
    history.note_exchange("e2", True, "")
    history.note_exchange("e2", False, "")
    history.close()
    history = History(tmp_path / "history.db")
    first, second = history.load_exchanges("c1")
    assert (first.bookmarked, first.note) == (True, "why did it miss?")
    assert (second.bookmarked, second.note) == (False, "")
    again = history.load_exchange("e1")
    assert again is not None
    assert again.note == "why did it miss?"
    history.delete("c1")
    history.close()
    rows = sqlite3.connect(tmp_path / "history.db")
    assert rows.execute("SELECT count(*) FROM exchange_notes").fetchone() == (0,)
    rows.close()
