"""What a run does while the history's file cannot be used, and when it can be again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.store_support import completed, conversation, turn

from tui.core.errors import HistoryUnusable, NoSuchConversation
from tui.store import steady
from tui.store.history import History
from tui.store.steady import SteadyHistory

IN_MEMORY = "The chat goes on in memory; export what must not be lost."


class Run:
    """A steady history, the clock it goes by, and what it said."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 100.0
        self.told: list[str] = []
        self.history = SteadyHistory(path, self.told.append, lambda: self.now)
        self.run = self.history.run

    def later(self) -> None:
        self.now += 6
        self.history.mend()


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setattr(steady, "_LONG_WAIT", 0.02)
    monkeypatch.setattr(steady, "_SHORT_WAIT", 0.01)
    run = Run(tmp_path / "data" / "history.db")
    yield run
    run.history.close()


@pytest.fixture
def third(one: Run) -> Iterator[sqlite3.Connection]:
    """Another program's connection to the same file."""
    one.run(History.save_conversation, conversation(1, title="Rocks"))
    one.run(History.save_turn, "c1", completed("t1", "one", "1"))
    with closing(sqlite3.connect(one.path, isolation_level=None, timeout=5)) as db:
        yield db


def test_what_waits_is_written_in_its_order(one: Run, third: sqlite3.Connection) -> None:
    third.execute("BEGIN IMMEDIATE")
    one.run(History.save_turn, "c1", turn("t2", "two", "t1"))
    for text in ("a", "ab", "abc"):
        one.run(History.save_partial, "t2", text)
        one.run(History.save_draft, "c1", text)
    one.run(History.save_turn, "c1", completed("t2", "two", "2", "t1"))
    one.run(History.save_conversation, conversation(2))
    one.run(History.save_turn, "c2", completed("t3", "three", "3"))
    one.run(History.change_conversation, conversation(1, title="Rocks", tip="t1"))
    one.run(History.set_title, "c1", "Stones")
    assert len(one.told) == 1 and one.told[0].endswith(IN_MEMORY)
    assert one.history.in_memory
    # Reading goes on, of what the file has.
    assert one.run(History.load, "c1").tip == "t1"
    assert [row.title for row in one.run(History.list)] == ["Rocks"]
    third.execute("ROLLBACK")
    one.later()
    assert one.told[1:] == ["The history can be written again; what was said meanwhile is in it now."]
    assert not one.history.in_memory
    kept = one.run(History.load, "c1")
    assert (kept.title, kept.tip, list(kept.turns)) == ("Stones", "t1", ["t1", "t2"])
    assert kept.turns["t2"].text == "2"
    assert one.run(History.load_draft, "c1").text == "abc"
    assert one.run(History.load, "c2").turns["t3"].text == "3"


def test_what_the_user_asks_for_is_refused_not_put_off(one: Run, third: sqlite3.Connection) -> None:
    third.execute("BEGIN IMMEDIATE")
    for function, arguments in (
        (History.delete, ("c1",)), (History.delete_branch, ("c1", "t1", None)),
        (History.add_conversation, (conversation(7),)), (History.forget_tool_rule, (1,)),
    ):  # fmt: skip
        with pytest.raises(HistoryUnusable, match="Another program holds the history"):
            one.run(function, *arguments)
    third.execute("ROLLBACK")
    one.later()
    assert one.told == []
    assert [row.id for row in one.run(History.list)] == ["c1"]
    one.run(History.delete, "c1")
    assert one.run(History.list) == []


def test_what_was_deleted_by_another_program_meanwhile_stays_deleted(
    one: Run, third: sqlite3.Connection
) -> None:
    third.execute("BEGIN IMMEDIATE")
    one.run(History.save_turn, "c1", completed("t2", "two", "2", "t1"))
    one.run(History.save_draft, "c9", "kept")
    third.execute("DELETE FROM turns")
    third.execute("DELETE FROM conversations")
    third.execute("COMMIT")
    one.later()
    assert one.run(History.list) == []
    assert one.run(History.load_draft, "c9").text == "kept"


def test_a_file_that_cannot_be_opened_is_stood_in_for(one: Run) -> None:
    one.path.parent.mkdir()
    one.path.write_bytes(b"no history " * 100)
    assert one.run(History.refused_parameters) == set()
    one.run(History.save_conversation, conversation(1))
    one.run(History.save_turn, "c1", completed("t1", "one", "1"))
    assert [row.id for row in one.run(History.list)] == ["c1"]
    assert [row.id for row in one.run(History.search, "one")] == ["c1"]
    assert one.run(History.load, "c1").turns["t1"].text == "1"
    assert len(one.told) == 1
    with pytest.raises(HistoryUnusable, match="That needs the history, which cannot be used now"):
        one.run(History.load, "c2")
    one.later()
    assert one.path.read_bytes() == b"no history " * 100
    # As the sentence said: moved away, it makes room for another one.
    one.path.rename(one.path.with_name("old.db"))
    one.later()
    assert len(one.told) == 2
    assert one.run(History.load, "c1").turns["t1"].text == "1"
    with pytest.raises(NoSuchConversation):
        one.run(History.load, "c2")
    with closing(sqlite3.connect(one.path)) as db:
        assert db.execute("SELECT count(*) FROM turns").fetchone() == (1,)


def test_what_was_raised_is_not_told_again(one: Run) -> None:
    one.path.parent.mkdir()
    one.path.write_bytes(b"no history " * 100)
    with pytest.raises(HistoryUnusable, match="is damaged or no history"):
        one.run(History.latest, False)
    one.run(History.save_draft, "c1", "x")
    assert one.told == [IN_MEMORY]


def test_a_file_found_damaged_is_left_until_it_is_another_one(one: Run) -> None:
    one.run(History.save_conversation, conversation(1))
    for number in range(60):
        one.run(History.save_turn, "c1", completed(f"t{number}", "question", "answer " * 200))
    one.history.close()
    with closing(sqlite3.connect(one.path)) as db:
        page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'turns'").fetchone()[0]
    data = bytearray(one.path.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    one.path.write_bytes(data)
    again = Run(one.path)
    with pytest.raises(HistoryUnusable, match="damaged"):
        again.run(History.load, "c1")
    again.run(History.save_conversation, conversation(2))
    for _ in range(3):
        again.later()
    assert again.history.in_memory
    again.history.close()
    assert one.path.read_bytes() == bytes(data)
