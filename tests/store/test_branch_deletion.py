"""A deleted branch is gone: from the tree, the search, the file and its log; what others need stays."""

from __future__ import annotations

import base64
import random
from pathlib import Path
from typing import Any

import pytest
from support.store_support import completed, conversation, turn

from tui.core.attachments import Attachment
from tui.core.errors import StoreError
from tui.core.exchange import Exchange
from tui.core.items import Outcome, Turn, user_message
from tui.store.history import History

SECRET = "xylophonist"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


@pytest.fixture
def history(path: Path) -> Any:
    opened = History(path)
    yield opened
    opened.close()


def bytes_on_disk(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())


def exchange(number: int, turn_id: str, text: str, started_at: float = 2000.0) -> Exchange:
    made = Exchange(
        f"e{number}", number, 1, "c1", turn_id, "POST", "https://h/responses", (), text.encode(), started_at
    )
    made.outcome = Outcome.FAILED
    made.error = text
    return made


def grow(history: History, *turns: Turn, **changes: Any) -> None:
    history.save_conversation(conversation(1, **changes))
    for one in turns:
        history.save_turn("c1", one)


def numbers(history: History) -> tuple[int, str]:
    (line,) = history.list()
    return line.turns, line.model


# a - b - c        b, c and d are the branch; e is the one beside it
#   |   \ d
#   \ e
TREE = (
    completed("a", "basalt", "a dark rock"),
    completed("b", f"{SECRET} one", f"the {SECRET} answers " * 50, "a"),
    completed("c", f"{SECRET} two", f"{SECRET} again", "b"),
    completed("d", f"{SECRET} three", f"{SECRET} once more", "b"),
    completed("e", "granite", "a light rock", "a"),
)


def test_a_deleted_branch_leaves_no_text_in_any_file(history: History, path: Path) -> None:
    grow(history, *TREE)
    for number, turn_id in enumerate("abcde", 1):
        history.save_exchange(exchange(number, turn_id, SECRET if turn_id in "bcd" else "plain"))
    # A summary belongs to no turn; one that was made before the branch cannot hold anything of it.
    history.save_exchange(exchange(6, "", f"{SECRET} summed up", 2001.0))
    history.save_exchange(exchange(7, "", "summed up before", 1999.0))
    assert SECRET.encode() in bytes_on_disk(path)
    gone, title = history.delete_branch("c1", "b", "e")
    assert (gone, title) == (frozenset("bcd"), "basalt")
    # The index keeps words in pieces: the beginning of each is looked for too.
    for word in (SECRET, SECRET[:6]):
        assert word.encode() not in bytes_on_disk(path)
    kept = history.load("c1")
    assert (list(kept.turns), kept.tip) == (["a", "e"], "e")
    assert [one.turn_id for one in history.load_exchanges("c1")] == ["a", "e", ""]
    assert history.search(SECRET) == []
    assert [line.id for line in history.search("granite")] == ["c1"]
    assert numbers(history) == (2, "openai.gpt-5.4")
    # What the server keeps is known as before.
    assert {row.response_id for row in history.stored_responses()} == {f"resp_{name}" for name in "abcde"}


def test_an_attachment_goes_with_its_last_user(history: History, path: Path) -> None:
    data = random.Random(1).randbytes(40_000)
    file = Attachment("a.pdf", "/a.pdf", "application/pdf", data, "", 1, 10)
    item = user_message("look", [file.content_part()])
    ended = {"input": (item,), "outcome": Outcome.FAILED}
    grow(history, completed("a", "basalt", "yes"), turn("b", "", "a", **ended), turn("c", "", "a", **ended))

    def pieces_on_disk() -> int:
        """How many pieces of the file are there; pages cut some in two."""
        held = bytes_on_disk(path)
        return sum(data[start : start + 100] in held for start in range(0, len(data), 100))

    assert pieces_on_disk() > 300
    history.delete_branch("c1", "b", "c")
    assert pieces_on_disk() > 300
    assert base64.b64encode(data).decode() in history.load("c1").turns["c"].input[0].text
    history.delete_branch("c1", "c", "a")
    assert pieces_on_disk() == 0


def test_a_title_of_words_that_are_gone_is_made_anew(history: History, path: Path) -> None:
    grow(
        history,
        completed("a", f"{SECRET} begins", "yes"),
        completed("b", "slate", "too", None),
    )
    assert history.list()[0].title == f"{SECRET} begins"
    assert history.delete_branch("c1", "a", "b") == (frozenset("a"), "slate")
    assert SECRET.encode() not in bytes_on_disk(path)
    assert history.load("c1").title == "slate"


def test_a_title_that_the_user_gave_stays(history: History) -> None:
    grow(history, completed("a", "one", "yes"), completed("b", "two", "yes", None))
    history.set_title("c1", "Mine")
    assert history.delete_branch("c1", "a", "b")[1] == "Mine"


def test_with_its_last_turn_the_conversation_goes(history: History, path: Path) -> None:
    grow(history, completed("a", f"{SECRET} begins", "yes"), completed("b", SECRET, "yes", "a"))
    history.save_draft("c1", SECRET)
    history.delete_branch("c1", "a", None)
    assert history.list() == []
    assert history.load_draft("c1").is_empty
    assert SECRET.encode() not in bytes_on_disk(path)


def test_a_branch_that_runs_in_another_window_is_not_deleted(history: History, path: Path) -> None:
    grow(history, completed("a", "one", "yes"), turn("b", SECRET, "a"))
    with pytest.raises(StoreError, match="still running"):
        history.delete_branch("c1", "a", None)
    assert list(history.load("c1").turns) == ["a", "b"]
    assert history.delete_branch("c1", "nothing", "b")[0] == frozenset()


def test_what_goes_on_from_a_deleted_turn_in_another_window_is_refused(history: History, path: Path) -> None:
    grow(history, completed("a", "one", "yes"), completed("b", "two", "yes", "a"))
    history.delete_branch("c1", "b", "a")
    with pytest.raises(StoreError, match="was deleted"):
        history.save_turn("c1", turn("c", "three", "b"))
    assert list(history.load("c1").turns) == ["a"]


def test_ten_thousand_turns_are_deleted_in_a_few_seconds(history: History) -> None:
    import time

    history.save_conversation(conversation(1))
    history.save_turn("c1", completed("t0", "root", "yes"))
    with history._db.transaction() as db:
        from tui.store import turns as turn_rows

        for number in range(1, 2000):
            one = completed(f"t{number}", f"question {number}", "an answer", f"t{number - 1}")
            turn_rows.save_turn(db, "c1", one, "", same_input=False)
    start = time.process_time()
    gone, _ = history.delete_branch("c1", "t1", "t0")
    assert len(gone) == 1999
    # A fifth of ten thousand.
    assert time.process_time() - start < 1.0
