"""A history of an earlier version comes up with everything in it; what version 2 added is kept."""

from __future__ import annotations

import gzip
import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support.store_support import TARGET, completed, conversation, turn

from tui.core.controls import Controls
from tui.core.items import Outcome
from tui.store.history import ENDED_WHILE_RUNNING, History
from tui.store.schema import SCHEMA_VERSION

# Written by version 1 of the program, not by this one's first migration.
FIRST_VERSION = Path(__file__).with_name("history_v1.db.gz")
NOBODY = "1:never"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "history.db"
    path.parent.mkdir()
    path.write_bytes(gzip.decompress(FIRST_VERSION.read_bytes()))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


def test_a_version_1_file_comes_up_with_everything(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    history = History(old)
    one = history.load("c1")
    assert (one.instructions, one.model, one.region, one.continuation) == (
        "Be brief", "openai.gpt-5.4", "us-west-2", "stateless",
    )  # fmt: skip
    assert one.controls == Controls()
    assert one.lost == {"resp_old"}
    first, second = one.path()
    assert (first.prompt, first.text, first.notices) == ("Hello basalt", "Hi there", ("a chain was mended",))
    (part, _) = second.input[0].payload["content"]
    assert part["filename"] == "a.pdf"
    assert len(part["file_data"]) > 9000
    assert not first.background
    assert not first.summary
    assert first.text_format == ""
    assert one.api is None
    assert first.target is not None and first.target.api == "responses"
    assert history.load_draft("c1").text == "half typed"
    assert [line.id for line in history.search("basalt", 5)] == ["c1"]
    (left,) = history.load("c2").path()
    assert (left.outcome, left.error) == (Outcome.FAILED, ENDED_WHILE_RUNNING)
    assert [(r.response_id, r.delete_wanted) for r in history.stored_responses()] == [("resp_t2", False)]
    assert [r.response_id for r in history.stored_responses(deleted=True)] == ["resp_t1"]
    assert history.refused_parameters() == set()
    history.close()
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        applied = db.execute("SELECT version FROM schema_versions ORDER BY version").fetchall()
        assert applied == [(version,) for version in range(1, SCHEMA_VERSION + 1)]
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert os.name != "posix" or stat.S_IMODE(old.stat().st_mode) == 0o600


def test_a_migrated_file_takes_what_version_2_added(old: Path) -> None:
    history = History(old)
    chosen = Controls("high", "low", 2048, "flex", "auto", "short")
    history.save_conversation(replace(history.load("c1"), controls=chosen, api="converse"))
    elsewhere = replace(TARGET, api="converse")
    history.save_turn("c1", completed("t9", "Later", "Yes", parent="t2", summary=True, target=elsewhere))
    history.close()
    history = History(old)
    assert history.load("c1").controls == chosen
    assert history.load("c1").turns["t9"].summary
    assert (history.load("c1").api, history.load("c1").turns["t9"].target) == ("converse", elsewhere)
    assert not history.load("c1").turns["t1"].summary
    history.close()


def test_a_migration_that_fails_leaves_the_file_at_its_version(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tui.store.database as database
    from tui.core.errors import StoreError
    from tui.store.schema import MIGRATIONS

    def half(db: sqlite3.Connection) -> None:
        db.execute("ALTER TABLE conversations ADD COLUMN half TEXT")
        db.execute("ALTER TABLE no_such_table ADD COLUMN x TEXT")

    monkeypatch.setattr(database, "MIGRATIONS", [MIGRATIONS[0], half])
    with pytest.raises(StoreError):
        History(old)
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert "half" not in [row[1] for row in db.execute("PRAGMA table_info(conversations)")]
    monkeypatch.undo()
    history = History(old)
    assert len(history.load("c1").turns) == 2
    history.close()


def test_controls_of_another_version_are_read_as_far_as_they_are_known(path: Path) -> None:
    history = History(path)
    history.save_conversation(conversation(1, controls=Controls(effort="low")))
    history.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "UPDATE conversations SET controls = ?",
            ('{"effort":"high","mood":"good","verbosity":3,"max_output_tokens":"many"}',),
        )
        db.commit()
    history = History(path)
    assert history.load("c1").controls == Controls(effort="high")
    history.close()


def test_a_background_turn_that_nobody_runs_is_not_ended(path: Path) -> None:
    history = History(path, owner=NOBODY)
    history.save_conversation(conversation())
    history.save_turn("c1", turn("begun", "x", target=TARGET, background=True))
    history.save_turn(
        "c1", turn("on its way", "y", target=TARGET, background=True, response_id="resp_b", stored=True)
    )
    history.save_turn("c1", turn("in front", "z", target=TARGET, response_id="resp_f"))
    history.close()
    history = History(path)
    turns = history.load("c1").turns
    assert turns["on its way"].outcome is None
    assert turns["on its way"].background
    # Without an id there is nothing to ask the server for.
    assert turns["begun"].outcome is Outcome.FAILED
    assert turns["in front"].outcome is Outcome.FAILED
    history.close()
    history = History(path)
    assert history.load("c1").turns["on its way"].outcome is None
    history.save_turn("c1", completed("on its way", "y", "late", background=True))
    assert history.load("c1").turns["on its way"].text == "late"
    history.close()


def test_a_response_is_known_from_its_first_event_on(path: Path) -> None:
    history = History(path)
    history.save_conversation(conversation())
    history.save_turn("c1", turn("t1", "x", target=TARGET))
    history.save_partial("t1", "so far", "", (), "resp_1", stored=False)
    assert history.stored_responses() == []
    history.save_partial("t1", "so far and on", "", (), "resp_1", stored=True)
    history.save_partial("t1", "so far and on and on", "", (), "resp_1", stored=True)
    (known,) = history.stored_responses()
    assert (known.response_id, known.target, known.conversation_id) == ("resp_1", TARGET, "c1")
    history.close()


def test_what_is_to_be_deleted_stays_so_until_it_is_gone(path: Path) -> None:
    history = History(path)
    history.save_conversation(conversation())
    history.save_turn("c1", completed("t1", "x", "y"))
    history.save_turn("c1", completed("t2", "x", "y", parent="t1"))
    history.want_response_deleted(["resp_t1", "resp_unknown"])
    history.close()
    history = History(path)

    def states() -> dict[str, bool]:
        return {r.response_id: r.delete_wanted for r in history.stored_responses()}

    assert states() == {"resp_t1": True, "resp_t2": False}
    history.mark_response_deleted("resp_t1", 5000.0)
    history.want_response_deleted(["resp_t1"])
    assert states() == {"resp_t2": False}
    assert [r.delete_wanted for r in history.stored_responses(deleted=True)] == [False]
    # No later turn continues from it.
    assert history.load("c1").lost == {"resp_t1"}
    history.close()


def test_responses_end_at_the_age_at_which_the_server_deletes_them(path: Path) -> None:
    history = History(path)
    history.save_conversation(conversation())
    for name, made in (("old", 1000.0), ("new", 1001.0)):
        history.save_turn("c1", completed(name, "x", "y", created_at=made))
    history.expire_responses(made_before=1001.0, lifetime=100.0)
    assert [r.response_id for r in history.stored_responses()] == ["resp_new"]
    assert [r.deleted_at for r in history.stored_responses(deleted=True)] == [1100.0]
    history.close()


def test_refused_parameters_are_kept_by_endpoint_and_model(path: Path) -> None:
    history = History(path)
    for at in (1.0, 2.0):
        history.refuse_parameter("mantle", "m", "reasoning.summary", at)
    history.refuse_parameter("runtime", "m", "include", 3.0)
    history.close()
    history = History(path)
    assert history.refused_parameters() == {
        ("mantle", "m", "reasoning.summary"),
        ("runtime", "m", "include"),
    }
    history.close()
