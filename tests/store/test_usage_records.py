"""Usage records: one for each response, none twice, and they outlive their conversation."""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from support.store_support import TARGET, completed, conversation, turn

from tui.core.discovery import PairingCheck
from tui.core.items import Outcome, Usage
from tui.core.usage import usage_record
from tui.store.history import History

FIRST_VERSION = Path(__file__).with_name("history_v1.db.gz")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


def test_a_turn_is_recorded_once_however_often_it_is_saved(path: Path) -> None:
    history = History(path)
    history.save_conversation(conversation())
    begun = turn("t1", "Hello", target=TARGET)
    history.save_turn("c1", begun)
    assert history.usage_records(0.0, False) == []
    ended = completed("t1", "Hello", "Hi")
    history.save_turn("c1", ended)
    history.save_turn("c1", replace(ended, usage=Usage(20, 0, None, 5, None, 25)))
    (record,) = history.usage_records(0.0, False)
    assert (record.id, record.kind, record.conversation_id, record.at) == ("t1", "turn", "c1", 2000.0)
    assert (record.model, record.region, record.endpoint) == (TARGET.model, TARGET.region, TARGET.endpoint)
    assert record.usage == Usage(20, 0, None, 5, None, 25)
    history.close()


def test_what_never_reached_a_response_is_no_record_and_what_broke_off_is_unknown(path: Path) -> None:
    history = History(path)
    history.save_conversation(conversation())
    nothing = {"usage": None, "outcome": Outcome.FAILED, "output": ()}
    history.save_turn("c1", completed("refused", "a", "", response_id=None, **nothing))
    history.save_turn("c1", completed("cut", "b", "", **nothing))
    history.save_turn("c1", completed("summed up", "c", "d", summary=True, target=None))
    history.save_turn("c1", turn("waits", "e", target=TARGET, background=True, response_id="resp_b"))
    assert [(row.id, row.usage) for row in history.usage_records(0.0, False)] == [("cut", None)]
    history.close()


def test_records_outlive_their_conversation_and_hold_no_text(path: Path) -> None:
    history = History(path)
    history.save_conversation(conversation())
    history.save_turn("c1", completed("t1", "a secret plan", "noted"))
    history.record_usage(usage_record("summary", "c1", 2100.0, TARGET, Usage(5, 0, None, 5, None, 10)))
    history.delete("c1")
    assert [row.kind for row in history.usage_records(0.0, False)] == ["turn", "summary"]
    assert [row.kind for row in history.usage_records(2050.0, False)] == ["summary"]
    assert len(history.usage_records(0.0, False, "c1")) == 2
    assert history.usage_records(0.0, False, "c2") == []
    history.close()
    assert b"secret plan" not in path.read_bytes()


def test_the_sandbox_and_the_service_never_mix(path: Path) -> None:
    history = History(path)
    history.save_conversation(conversation(sandbox=True))
    history.save_turn("c1", completed("t1", "a", "b", target=replace(TARGET, sandbox=True)))
    history.record_usage(usage_record("check", "", 1.0, TARGET, None))
    assert [row.id for row in history.usage_records(0.0, True)] == ["t1"]
    assert [row.kind for row in history.usage_records(0.0, False)] == ["check"]
    history.close()


def test_a_crashed_turn_counts_as_unknown(path: Path) -> None:
    history = History(path, owner="1:never")
    history.save_conversation(conversation())
    history.save_turn("c1", turn("t1", "a", target=TARGET, response_id="resp_1"))
    history.save_turn("c1", turn("t2", "b", target=TARGET))
    history.close()
    history = History(path)
    assert [(row.id, row.usage) for row in history.usage_records(0.0, False)] == [("t1", None)]
    history.close()


def test_a_version_1_file_brings_the_usage_of_its_turns(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(gzip.decompress(FIRST_VERSION.read_bytes()))
    with closing(sqlite3.connect(path)) as db:
        had = db.execute("SELECT id, usage FROM turns WHERE usage IS NOT NULL ORDER BY id").fetchall()
    assert had, "the file has turns with usage"
    history = History(path)
    found = {row.id: row for row in history.usage_records(0.0, False) + history.usage_records(0.0, True)}
    for turn_id, _ in had:
        assert found[turn_id].usage is not None and found[turn_id].model.startswith("openai.")
    history.close()


def test_checks_and_lists_of_models_are_remembered_with_their_time(path: Path) -> None:
    history = History(path)
    old = PairingCheck("openai.gpt-5.4", "us-west-2", "mantle", 1.0, False, "No.")
    new = replace(old, at=2.0, works=True, sentence="It answered.")
    other = replace(old, region="us-east-1")
    for check in (old, new, other):
        history.save_check(check)
    assert sorted(history.checks(), key=lambda check: check.region) == [other, new]
    assert history.model_list("us-west-2", "mantle") is None
    history.save_model_list("us-west-2", "mantle", 5.0, ["a", "b"])
    history.save_model_list("us-west-2", "mantle", 6.0, ["b"])
    assert history.model_list("us-west-2", "mantle") == (6.0, ("b",))
    history.close()


def test_the_endpoint_of_a_conversation_is_kept(path: Path) -> None:
    history = History(path)
    history.save_conversation(conversation(endpoint="gateway"))
    assert history.load("c1").endpoint == "gateway"
    history.save_conversation(replace(history.load("c1"), endpoint=None))
    assert history.load("c1").endpoint is None
    history.close()
