"""What was deleted is in no byte of the history's files, packed or not; also while others have it open."""

from __future__ import annotations

import random
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from support.store_support import TARGET, completed, conversation, turn

from tui.core.attachments import Attachment
from tui.core.exchange import Exchange
from tui.core.items import Outcome, user_message
from tui.store import steady
from tui.store.database import Database
from tui.store.history import History
from tui.store.steady import SteadyHistory

MARK = re.compile(rb"sec(\d{3})")


def raw_bytes(path: Path) -> bytes:
    """Everything in the history's files."""
    return b"\n".join(file.read_bytes() for file in sorted(path.parent.iterdir()) if file.is_file())


def inflated(data: bytes) -> bytes:
    """Every deflated stream in some bytes, unpacked as far as it goes, wherever it begins."""
    found: list[bytes] = []
    for header in (b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
        at = data.find(header)
        while at >= 0:
            unpacking = zlib.decompressobj()
            with suppress(zlib.error):
                found.append(unpacking.decompress(data[at : at + 400_000]))
            at = data.find(header, at + 1)
    return b"\n".join(found)


def marks(path: Path) -> set[int]:
    """The numbers of the conversations of which anything is left."""
    data = raw_bytes(path)
    return {int(number) for number in MARK.findall(data + inflated(data))}


def secrets(number: int, chance: random.Random, words: int) -> str:
    return " ".join(f"sec{number:03d}x{chance.randrange(10**9):09d}" for _ in range(words))


def fill(history: History, number: int, chance: random.Random) -> None:
    """A conversation with turns, partial texts, exchanges, drafts, a file; each part holds its number."""
    name = f"c{number}"
    history.save_conversation(conversation(number, instructions=secrets(number, chance, 2)))
    for count in range(chance.randrange(1, 4)):
        turn_id = f"t{number}-{count}"
        text = secrets(number, chance, chance.choice([1, 5, 30, 200, 700]))
        file = Attachment(
            f"sec{number:03d}.pdf", "/x.pdf", "application/pdf", (text * 20).encode()[:9000], "", 1, 10
        )
        parts = [file.content_part()] if count == 1 else []
        sent = (user_message(text, parts),)
        history.save_turn(name, turn(turn_id, text, target=TARGET, input=sent))
        history.save_partial(turn_id, text[: len(text) // 2])
        history.save_turn(name, completed(turn_id, text, text[::-1] + text, input=sent))
        exchange = Exchange(
            f"e{turn_id}", count, 1, name, turn_id, "POST", "https://h", (), (text * 30).encode(), 2000.0
        )
        exchange.outcome, exchange.error = Outcome.FAILED, text[:40]
        history.save_exchange(exchange)
        history.note_exchange(exchange.id, True, text[:20])
    for words in (20, 3):
        history.save_draft(name, secrets(number, chance, words))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


def test_no_byte_of_a_deleted_conversation_is_left_packed_or_not(path: Path) -> None:
    chance = random.Random(9)
    history = History(path)
    another = History(path)
    alive: set[int] = set()
    searched = 0
    for number in range(40):
        if len(alive) < 4 or chance.random() < 0.6:
            fill(history, number, chance)
            alive.add(number)
            another.list()
        else:
            gone = chance.choice(sorted(alive))
            alive.discard(gone)
            history.delete(f"c{gone}")
            assert not history.to_erase
            data = raw_bytes(path)
            searched += len(data)
            assert {int(found) for found in MARK.findall(data)} <= alive
    assert marks(path) == alive
    assert {int(found) for found in MARK.findall(inflated(raw_bytes(path)))} == alive
    assert searched > 10**6
    for gone in sorted(alive):
        another.delete(f"c{gone}")
    assert marks(path) == set()
    for opened in (history, another):
        opened.close()
    assert marks(path) == set()


@pytest.fixture
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program, in the middle of reading."""
    History(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        yield db


def test_while_another_program_reads_it_is_said_and_done_as_soon_as_that_ends(
    path: Path, reading: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steady, "_LONG_WAIT", 0.05)
    told: list[str] = []
    now = [100.0]
    history = SteadyHistory(path, told.append, lambda: now[0])
    history.run(fill, 1, random.Random(1))
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM turns").fetchall()
    history.run(History.delete, "c1")
    (sentence,) = told
    assert sentence.startswith("Another program is reading the history")
    assert history.run(History.list) == []
    assert 1 in marks(path)
    now[0] += 6
    history.mend()
    assert 1 in marks(path) and len(told) == 1
    reading.execute("ROLLBACK")
    now[0] += 6
    assert history.seconds_to_next_try() == 0.0
    history.mend()
    assert marks(path) == set()
    assert history.seconds_to_next_try() is None
    history.close()


def test_the_journal_is_a_log_that_is_on_disk_when_a_write_returns(path: Path) -> None:
    database = Database(path)
    found = [
        database.rows(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "secure_delete")
    ]
    assert found == ["wal", 2, 1]  # 2 is FULL
    database.close()
