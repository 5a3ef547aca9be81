"""What is saved comes back the same: conversations, turns, drafts, attachments."""

from __future__ import annotations

import base64
import json
import os
import random
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.store_support import TARGET, completed, conversation, output, turn

from tui.core.errors import StoreError
from tui.core.items import Item, Outcome, Usage, user_message
from tui.store.history import History
from tui.store.title import title_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


@pytest.fixture
def history(path: Path):
    history = History(path)
    yield history
    history.close()


def test_a_conversation_comes_back_as_it_was(history, path):
    first = completed("t1", "Hello", "Hi", notices=("a chain was mended",), continuation="stateless")
    second = completed(
        "t2",
        "Again",
        "",
        parent="t1",
        output=(),
        partial_text="half an ans",
        partial_reasoning="thinking",
        outcome=Outcome.CANCELLED,
        error="stopped",
        usage=None,
        stored=False,
        target=replace(TARGET, sandbox=True),
    )
    sibling = completed("t3", "Other", "Yes", parent="t1", usage=Usage(1, 2, 3, 4, 5, 6))
    talk = conversation(
        title="A title", instructions="Be brief", model="m", region="eu-west-1", continuation="stateless"
    )
    history.save_conversation(talk)
    for one in (first, second, sibling):
        history.save_turn("c1", one)
        talk = talk.append(one)
    history.change_conversation(replace(history.load("c1"), tip="t2"))
    history.set_lost("c1", frozenset({"resp_t1"}))
    history.close()
    reopened = History(path)
    loaded = reopened.load("c1")
    reopened.close()
    assert loaded == talk.at("t2").forget({"resp_t1"})
    assert list(loaded.turns) == ["t1", "t2", "t3"]


def test_items_come_back_byte_for_byte(history):
    texts = ['{"type": "reasoning",  "id":"x", "summary":[ ]}', '{"role":"user","content":"\\u00e9é ₂"}']
    saved = replace(turn("t1", ""), input=tuple(map(Item, texts)), output=(Item(texts[0]),) * 3)
    history.save_conversation(conversation())
    history.save_turn("c1", saved)
    assert history.load("c1").turns["t1"] == saved


def test_items_that_hold_the_separators_come_back(history):
    items = tuple(user_message(text * size) for size in (1, 500) for text in ("\x1e", "\x1f=", "a\x1e\x1fb"))
    saved = replace(turn("t1", ""), input=items, output=items)
    history.save_conversation(conversation())
    history.save_turn("c1", saved)
    assert history.load("c1").turns["t1"] == saved


def test_a_lone_surrogate_is_kept_in_items_and_replaced_in_plain_text(history):
    saved = turn("t1", "broken \ud83d emoji", partial_text="\ud83d", error="\udc00")
    history.save_conversation(conversation(title="\ud800"))
    history.save_turn("c1", saved)
    history.save_draft("c1", "\ud83d")
    loaded = history.load("c1").turns["t1"]
    assert loaded.prompt == "broken \ud83d emoji"
    assert loaded.input[0].payload == saved.input[0].payload
    assert loaded.partial_text == loaded.error == history.load_draft("c1").text == "\N{REPLACEMENT CHARACTER}"


def test_updating_a_turn_keeps_its_place_and_the_tip(history):
    history.save_conversation(conversation())
    history.save_turn("c1", turn("t1", "one"))
    history.save_turn("c1", turn("t2", "two", parent="t1"))
    history.save_turn("c1", completed("t1", "one", "answer"))
    loaded = history.load("c1")
    assert list(loaded.turns) == ["t1", "t2"]
    assert loaded.tip == "t2"
    assert loaded.turns["t1"].text == "answer"
    assert history.list()[0].turns == 2


def test_saving_a_conversation_again_keeps_title_and_turns(history):
    history.save_conversation(conversation())
    history.save_turn("c1", turn("t1", "  What is\na schist,\tplease?  "))
    assert history.load("c1").title == "What is a schist, please?"
    history.save_conversation(conversation(tip="t1", continuation="stateless"))
    loaded = history.load("c1")
    assert loaded.title == "What is a schist, please?"
    assert loaded.continuation == "stateless" and list(loaded.turns) == ["t1"]
    history.set_title("c1", "Rocks")
    assert history.list()[0].title == "Rocks"


def test_a_conversation_whose_turn_was_never_saved_opens(history):
    history.save_conversation(conversation(tip="never"))
    assert history.load("c1").tip is None
    history.save_turn("c1", turn("t1", "x"))
    history.save_conversation(conversation(tip="never"))
    assert history.load("c1").tip == "t1"


def test_what_is_not_there_is_said(history):
    with pytest.raises(StoreError, match="no conversation nope"):
        history.load("nope")
    with pytest.raises(StoreError, match="no conversation nope"):
        history.save_turn("nope", turn("t1", "x"))
    history.delete("nope")
    assert history.load_exchanges("nope") == []


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("", ""),
        ("short", "short"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        ("word " * 30, "word word word word word word word word word word word…"),
        ("a\x1b]0;evil\x07b", "a␛]0;evil␇b"),
    ],
)
def test_titles(prompt, title):
    assert title_of(prompt) == title
    assert len(title) <= 60


def test_lists_are_newest_first_and_know_the_sandbox(history):
    assert history.latest(False) is None
    for number, sandbox in enumerate((False, True, False, True)):
        history.save_conversation(conversation(number, sandbox=sandbox))
        at = 3000.0 - number
        history.save_turn(f"c{number}", completed(f"t{number}", "x", "y", created_at=at, ended_at=at))
    assert [line.id for line in history.list()] == ["c0", "c1", "c2", "c3"]
    assert [line.id for line in history.list(sandbox=True)] == ["c1", "c3"]
    assert [line.id for line in history.list(limit=1, sandbox=False)] == ["c0"]
    assert (history.latest(True), history.latest(False)) == ("c1", "c0")
    line = history.list()[0]
    assert (line.updated_at, line.turns, line.sandbox, line.model) == (3000.0, 1, False, "openai.gpt-5.4")
    history.save_turn("c3", turn("t9", "again", parent="t3", created_at=9000.0))
    assert history.latest(True) == "c3"


def test_drafts_are_kept_by_conversation(history):
    history.save_draft("", "for a new one")
    history.save_draft("c1", "for c1")
    assert (history.load_draft("").text, history.load_draft("c1").text, history.load_draft("c2").text) == (
        "for a new one",
        "for c1",
        "",
    )
    history.save_draft("", "")
    assert history.drafts() == {"c1": "for c1"}


def test_stored_responses_are_known_also_after_their_conversation_is_deleted(history):
    history.save_conversation(conversation())
    history.save_turn("c1", completed("t1", "x", "y"))
    history.save_turn("c1", completed("t2", "x", "y", stored=False))
    history.delete("c1")
    (kept,) = history.stored_responses()
    assert (kept.response_id, kept.target, kept.conversation_id) == ("resp_t1", TARGET, "c1")
    history.mark_response_deleted("resp_t1", 5.0)
    assert history.stored_responses() == []
    assert [one.deleted_at for one in history.stored_responses(deleted=True)] == [5.0]


# Attachments


def pdf_item(data: bytes, text: str = "read it") -> Item:
    encoded = base64.b64encode(data).decode()
    part = {
        "type": "input_file",
        "filename": "a.pdf",
        "file_data": f"data:application/pdf;base64,{encoded}",
    }
    return user_message(text, [part])


def size_on_disk(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.iterdir())


def test_a_pdf_that_is_sent_ten_times_is_stored_once(history, path):
    data = random.Random(1).randbytes(400_000)
    history.save_conversation(conversation())
    parent = None
    for number in range(10):
        one = replace(turn(f"t{number}", "", parent), input=(pdf_item(data, f"question {number}"),))
        history.save_turn("c1", one)
        history.save_turn("c1", replace(one, outcome=Outcome.COMPLETED, output=output("seen")))
        parent = one.id
    loaded = history.load("c1")
    assert [one.input for one in loaded.path()] == [
        (pdf_item(data, f"question {number}"),) for number in range(10)
    ]
    history.close()
    assert size_on_disk(path) < 1_000_000


def test_a_pdf_goes_with_the_last_conversation_that_needs_it(history, path):
    data = random.Random(2).randbytes(400_000)
    for number in (1, 2):
        history.save_conversation(conversation(number))
        history.save_turn(f"c{number}", replace(turn(f"t{number}", ""), input=(pdf_item(data),)))
    history.delete("c1")
    assert history.load("c2").turns["t2"].input == (pdf_item(data),)
    history.delete("c2")
    history.close()
    assert size_on_disk(path) < 200_000


def test_search_text_of_a_turn_with_a_pdf_is_what_was_typed(history):
    history.save_conversation(conversation())
    history.save_turn("c1", replace(turn("t1", ""), input=(pdf_item(b"%PDF" * 9999, "the gneiss"),)))
    assert history.list()[0].title == "the gneiss"
    assert [line.id for line in history.search("gneiss")] == ["c1"]
    assert history.search("JVBE") == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([b";base64,", b'"', b"\x1f", b"\x1f=", b"\x1e", b"A" * 2000, b"QQ==" * 600]),
            st.binary(min_size=900, max_size=1400).map(
                lambda raw: b";base64," + base64.b64encode(raw) + b'"'
            ),
        ),
        max_size=8,
    )
)
def test_any_bytes_are_unpacked_as_they_were_packed(parts):
    from tui.store.blobs import pack, unpack
    from tui.store.schema import MIGRATIONS

    db = sqlite3.connect(":memory:")
    MIGRATIONS[0](db)
    body = b"".join(parts)
    assert unpack(db, pack(db, "user", body)) == body
    db.close()


# Speed


def test_a_conversation_of_ten_thousand_turns_opens_quickly(history):
    history.save_conversation(conversation())
    template = completed("t", "A question of some length about rocks", "An answer. " * 40)
    text = template.output[0].text
    with history._db.transaction() as db:
        history_row = (
            "INSERT INTO turns (id, conversation_id, parent_id, created_at, ended_at, outcome, target,"
            " continuation, response_id, request_id, stored, usage, error, notices, input, output,"
            " partial_text, partial_reasoning, owner) VALUES"
            " (?, 'c1', ?, 1.0, 2.0, 'completed', ?, 'stateful', ?, 'req', 1,"
            " '[1, 2, null, 3, null, 4]', NULL, '', ?, ?,"
            " '', '', '')"
        )
        target = json.dumps([TARGET.model, TARGET.region, TARGET.endpoint, TARGET.base_url, False])
        db.executemany(
            history_row,
            (
                (
                    f"t{n}",
                    f"t{n - 1}" if n else None,
                    target,
                    f"resp_{n}",
                    template.input[0].text,
                    text,
                )
                for n in range(10_000)
            ),
        )
    history.change_conversation(replace(history.load("c1"), tip="t9999"))
    took: list[float] = []
    for _ in range(5):
        start = time.process_time()
        loaded = history.load("c1")
        took.append(time.process_time() - start)
    assert len(loaded.path()) == 10_000
    assert loaded.turns["t5"].usage == Usage(1, 2, None, 3, None, 4)
    assert min(took) < 0.3


def test_saving_a_turn_does_not_get_slower_with_the_conversation(history):
    """10,000 rows are there already; 20 saves must take what 20 commits take."""
    test_a_conversation_of_ten_thousand_turns_opens_quickly(history)
    start = time.process_time()
    for number in range(20):
        history.save_turn("c1", completed(f"n{number}", "x", "y", parent="t9999"))
    assert time.process_time() - start < 0.2


def test_files_are_private_under_any_umask(tmp_path):
    path = tmp_path / "deep" / "outcrop" / "history.db"
    before = os.umask(0)
    try:
        history = History(path)
        history.save_conversation(conversation())
    finally:
        os.umask(before)
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {"history.db": 0o600, "history.db-wal": 0o600, "history.db-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    history.close()
    path.chmod(0o644)
    path.parent.chmod(0o755)
    History(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
