"""Recorded exchanges: what comes again is stored once, and what is too old or too much goes."""

from __future__ import annotations

import base64
import random
from pathlib import Path

import pytest
from support.exchanges import created
from support.store_support import completed, conversation

from tui.core.exchange import Exchange
from tui.store.history import History

ALL = float("-inf")


@pytest.fixture
def history(tmp_path: Path):
    history = History(tmp_path / "history.db")
    history.save_conversation(conversation())
    yield history
    history.close()


def size(tmp_path: Path, history: History) -> int:
    history._db.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return (tmp_path / "history.db").stat().st_size


def noise(seed: int, length: int) -> str:
    return base64.b64encode(random.Random(seed).randbytes(length)).decode()


def kept(history: History) -> list[int]:
    return [exchange.number for exchange in history.load_exchanges("c1")]


def save(history: History, number: int, body: object, **more: object) -> Exchange:
    made = created(body, number=number, conversation_id="c1", **more)  # type: ignore[arg-type]
    history.save_exchange(made)
    return made


def prune(history: History, most: int, before: float = ALL) -> int:
    """How many steps it took."""
    steps = 0
    while history.prune_exchanges(most, before):
        steps += 1
        assert steps < 500
    return steps


def test_ten_stateless_turns_store_what_they_repeat_once(history, tmp_path) -> None:
    empty = size(tmp_path, history)
    url = f"data:application/pdf;base64,{noise(1, 90_000)}"
    pdf = {"type": "input_file", "filename": "a.pdf", "file_data": url}
    items: list[object] = [{"role": "user", "content": [pdf, {"type": "input_text", "text": "é\x1c?"}]}]
    made: list[Exchange] = []
    for number in range(1, 11):
        # Reasoning as long as an answer, that cannot be deflated.
        items.append({"type": "reasoning", "encrypted_content": noise(10 + number, 20_000)})
        tools = [{"d": noise(3, 9000)}]
        body = {"model": "m", "instructions": noise(2, 30_000), "input": items, "tools": tools}
        made.append(save(history, number, body))
    once = 90_000 + 30_000 * 4 / 3 + 9000 * 4 / 3 + 10 * 20_000 * 4 / 3
    assert sum(len(exchange.request_body) for exchange in made) > 3 * once
    assert size(tmp_path, history) - empty < 1.25 * once
    loaded = history.load_exchanges("c1")
    assert [one.request_body for one in loaded] == [one.request_body for one in made]
    assert loaded == made


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b'{"input":', b'{"input":"' + b"x" * 5000 + b'"}', b"\x1f" * 3000, b"\xff" * 3000,
        b'{"a":[' + b'"' + b"y" * 2000 + b'"' + b"]} trailing", b'{"input":[' + b"[" * 3000,
        b' {"a" : [ "' + b"z" * 2000 + b'" , 1 ] , "b":"' + b"z" * 2000 + b'"} ',
    ],
)  # fmt: skip
def test_any_body_comes_back_as_it_was(history, body) -> None:
    exchange = created({"model": "m"}, conversation_id="c1", request_body=body)
    history.save_exchange(exchange)
    history.save_exchange(exchange)
    assert history.load_exchanges("c1")[0].request_body == body


def test_the_oldest_go_until_the_rest_is_small_enough_and_bookmarks_stay(history, tmp_path) -> None:
    for number in range(1, 41):
        save(history, number, {"model": "m", "input": noise(number, 30_000)})
    history.note_exchange(created({"model": "m"}, number=2).id, True, "why")
    history.note_exchange(created({"model": "m"}, number=3).id, False, "a note alone does not keep it")
    before = size(tmp_path, history)
    assert prune(history, 0) == 0 and len(kept(history)) == 40
    assert prune(history, 400_000) >= 1
    assert kept(history)[0] == 2 and kept(history)[1:] == list(range(42 - len(kept(history)), 41))
    assert 8 <= len(kept(history)) <= 13
    assert size(tmp_path, history) < before / 2  # what was freed is given back to the disk
    assert history.load_exchanges("c1")[0].note == "why"
    assert prune(history, 400_000) == 0
    assert prune(history, 1) >= 1 and kept(history) == [2]
    assert history._db.rows("SELECT count(*) FROM blobs")[0][0] == 1


def test_what_is_too_old_goes_and_what_runs_or_is_shared_stays(history) -> None:
    url = f"data:application/pdf;base64,{noise(1, 50_000)}"
    content = {"role": "user", "content": [{"type": "input_file", "file_data": url}]}
    turn = completed("t1", "look", "done")
    history.save_turn("c1", turn)
    first = save(history, 1, {"model": "m", "input": [content]})
    running = save(history, 2, {"model": "m", "input": [content]}, outcome=None)
    save(history, 3, {"model": "m", "input": "late"})
    assert prune(history, 0, first.started_at) == 0
    assert prune(history, 0, running.started_at + 1) == 1
    assert kept(history) == [2, 3]
    assert history.load_exchanges("c1")[0].request_body == running.request_body
    assert history.load("c1").path()[0].text == "done"


def test_one_step_deletes_a_few_megabytes_at_most(history) -> None:
    for number in range(1, 16):
        save(history, number, {"model": "m", "input": noise(number, 2_000_000)})
    assert history.prune_exchanges(1, ALL)
    assert 8 <= len(kept(history)) <= 12
