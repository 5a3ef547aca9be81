"""A history of every schema that was ever released comes up with everything in it, and none may change."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tui.core.items import Outcome
from tui.store.history import ENDED_WHILE_RUNNING, History
from tui.store.schema import MIGRATIONS, SCHEMA_VERSION

RELEASED = Path(__file__).with_name("released")
VERSIONS = range(1, SCHEMA_VERSION + 1)

Schema = dict[str, str]


def script(version: int) -> str:
    return (RELEASED / f"v{version}.sql").read_text(encoding="utf-8")


def tables(db: sqlite3.Connection) -> Schema:
    rows = db.execute(
        "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    )
    return dict(rows.fetchall())


def test_every_released_schema_has_its_file() -> None:
    assert {file.name for file in RELEASED.iterdir()} == {f"v{version}.sql" for version in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_released_migration_makes_the_tables_that_it_made_when_it_was_released(version: int) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as now:
        for migration in MIGRATIONS[:version]:
            migration(now)
        with closing(sqlite3.connect(":memory:")) as then:
            then.executescript(script(version))
            assert tables(now) == tables(then)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_history_of_a_released_version_comes_up_with_everything(version: int, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; {script(version)}")
    begin = time.monotonic()
    history = History(path)
    assert time.monotonic() - begin < 1.0
    one = history.load("c1")
    assert (one.title, one.instructions, one.model, one.region, one.continuation, one.lost) == (
        "Rocks", "Be brief", "openai.gpt-5.4", "us-west-2", "stateless", {"resp_old"},
    )  # fmt: skip
    first, second = one.path()
    assert (first.prompt, first.text, first.notices) == ("Hello basalt", "Hi there", ("a chain was mended",))
    assert (second.outcome, second.error) == (Outcome.FAILED, ENDED_WHILE_RUNNING)
    assert (second.prompt, second.text) == ("look at this", "It is a dark")
    (part, _) = second.input[0].payload["content"]
    assert (part["filename"], len(part["file_data"])) == ("a.pdf", 1440)
    (exchange,) = history.load_exchanges("c1")
    assert (exchange.request_body, exchange.error) == (b'{"input":"Hello basalt"}', "no")
    assert history.load_draft("c1").text == "half typed"
    assert [row.id for row in history.search("basalt")] == ["c1"]
    assert [row.response_id for row in history.stored_responses()] == ["resp_t1"]
    assert [row.model for row in history.usage_records(0.0, False)] == ["openai.gpt-5.4"]
    assert history._db.rows("SELECT version FROM schema_versions") == [(number,) for number in VERSIONS]
    assert history._db.rows("PRAGMA integrity_check") == [("ok",)]
    history.close()
