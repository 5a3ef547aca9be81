"""Search, and that what is deleted is gone."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.store_support import completed, conversation, turn

from tui.core.exchange import Exchange
from tui.core.items import Outcome
from tui.store.excerpt import excerpt_of
from tui.store.history import History


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def history(path):
    history = History(path)
    yield history
    history.close()


def talk(history: History, number: int, *turns: tuple[str, str]) -> None:
    history.save_conversation(conversation(number))
    for index, (prompt, answer) in enumerate(turns):
        at = 2000.0 + number
        one = completed(f"c{number}t{index}", prompt, answer, created_at=at, ended_at=at)
        history.save_turn(f"c{number}", one)


def found(history: History, text: str) -> list[str]:
    return [line.id for line in history.search(text, 20)]


def test_words_are_found_in_prompts_and_answers_the_last_used_first(history):
    talk(history, 1, ("What is gneiss?", "A banded rock."), ("And schist?", "Foliated."))
    talk(history, 2, ("Tell me of basalt", "Gneiss it is not."))
    assert found(history, "gneiss") == ["c2", "c1"]
    assert found(history, "FOLIATED schist") == ["c1"]
    assert found(history, "banded schist") == []
    assert found(history, "absent") == []
    (line,) = history.search("banded", 5)
    assert "banded rock" in line.excerpt and (line.title, line.turns) == ("What is gneiss?", 2)


def test_a_title_that_the_user_gave_is_found_beside_turns_that_hold_the_words(history):
    talk(history, 1, ("What is gneiss?", "A banded rock."))
    talk(history, 2, ("Tell me of slate", "It splits."))
    talk(history, 3, ("And of schist?", "A gneiss it is not."))
    history.set_title("c2", "My gneiss_notes, 100 % done")
    assert found(history, "gneiss") == ["c3", "c2", "c1"]
    assert found(history, "done notes") == []
    assert found(history, "100 % my") == ["c2"]
    assert next(line for line in history.search("gneiss", 5) if line.id == "c2").excerpt == ""


def test_the_last_word_may_be_unfinished_and_accents_do_not_matter(history):
    talk(history, 1, ("Crème brûlée", "Délicieux"))
    assert found(history, "creme bru") == ["c1"]
    assert found(history, "cre brulee") == []


@pytest.mark.parametrize(
    "text",
    [
        *('"', '""', "'", "(", ")", "*", "AND", "OR NOT", "prompt:gneiss", "a NEAR b", "-gneiss"),
        *("gneiss*", "^gneiss", "{a b}", "gneiss + schist", "\x00", "a\x00b", "%", "_", "\\", "\ud83d", "  "),
    ],
)
def test_what_is_typed_is_never_query_syntax(history, text):
    talk(history, 1, ("granite", "limestone"))
    assert found(history, text) == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
def test_no_text_breaks_the_search(history, text):
    assert isinstance(history.search(text, 5), list)


@pytest.mark.parametrize("text", ["C++", "日本", "++", "a_b", "片岩"])
def test_signs_and_scripts_without_spaces_are_found_as_they_stand(history, text):
    talk(history, 1, ("Is C++ or a_b faster?", "日本の片岩です"))
    talk(history, 2, ("nothing of it", "axb"))
    assert found(history, text) == ["c1"]
    assert history.search(text, 5)[0].excerpt


def test_a_running_turn_is_found_by_its_prompt_and_a_finished_one_by_its_answer(history):
    history.save_conversation(conversation())
    history.save_turn("c1", turn("t1", "obsidian"))
    assert found(history, "obsidian") == ["c1"]
    history.save_partial("t1", "volcanic glass")
    history.save_turn("c1", completed("t1", "obsidian", "volcanic glass"))
    assert found(history, "glass") == ["c1"]


def test_the_excerpt_is_the_words_around_the_hit(history):
    talk(history, 1, ("Question", "before " * 100 + "the needle here " + "after " * 100))
    (line,) = history.search("needle", 5)
    assert "needle" in line.excerpt and len(line.excerpt) < 200 and line.excerpt.startswith("…")


def test_searching_a_thousand_turns_is_quick(history):
    import time

    talk(history, 1, *[(f"question {n} about rock", f"answer {n} granite " * 20) for n in range(300)])
    start = time.process_time()
    assert found(history, "granite") == ["c1"]
    assert time.process_time() - start < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_of_a_word_in_many_turns_the_same_conversations_are_found_as_of_a_rare_one(
    history, monkeypatch, seed
):
    chance = random.Random(seed)
    words = ["granite", "basalt", "slate"]
    turns = [(chance.randrange(8), chance.choice(words)) for _ in range(60)]
    times = chance.sample(range(2000, 2060), 60)
    for number in range(8):
        history.save_conversation(conversation(number))
    for index, (number, word) in enumerate(turns):
        # The conversation used last need not have the newest turn of the file.
        at = times.pop()
        one = completed(f"t{index}", f"{word} {index}", "An answer.", created_at=at, ended_at=at)
        history.save_turn(f"c{number}", one)
    for word in ("granite", "basalt 1", "answer", "sl"):
        for limit in (1, 3, 20):
            rare = history.search(word, limit)
            monkeypatch.setattr("tui.store.search._FEW", 2)
            assert history.search(word, limit) == rare
            monkeypatch.undo()


@pytest.mark.parametrize(
    ("texts", "words", "excerpt"),
    [
        (("A question", "The crème brûlée is done"), ["creme", "bru"], "The crème brûlée is done"),
        (("granite", "no, basalt and granite"), ["basalt", "granite"], "no, basalt and granite"),
        (("of pregranite", "x " * 60 + "granite\n\n" + "y " * 90), ["granite"], "…x x x x x"),
        (("nothing", ""), ["gone"], "nothing"),
        (("w" * 500, ""), ["w"], "w" * 120 + "…"),
    ],
)
def test_an_excerpt_is_cut_around_the_words(texts, words, excerpt):
    found = excerpt_of(texts, words)
    assert found.startswith(excerpt) and len(found) <= 123
    assert words == ["gone"] or all(word[:2] in unicodedata.normalize("NFKD", found) for word in words)


# Deleting

SECRET = "xylophonist"


def bytes_on_disk(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())


def test_a_deleted_conversation_leaves_no_text_in_any_file(history, path):
    talk(history, 1, *[(f"{SECRET} asked {n}", f"The {SECRET} answered {n}. " * 50) for n in range(30)])
    talk(history, 2, ("basalt", "a dark rock"))
    history.save_draft("c1", f"{SECRET} draft")
    exchange = Exchange("e1", 1, 1, "c1", "c1t0", "POST", "https://h/responses", (), b"{}", 1.0)
    exchange.error = SECRET
    exchange.outcome = Outcome.FAILED
    history.save_exchange(exchange)
    assert SECRET.encode() in bytes_on_disk(path)
    history.delete("c1")
    assert SECRET.encode() not in bytes_on_disk(path)
    # The index keeps words in pieces: the beginning of each is looked for too.
    assert SECRET[:6].encode() not in bytes_on_disk(path)
    assert found(history, SECRET) == [] and found(history, "basalt") == ["c2"]
    assert history.load_exchanges("c1") == [] and history.load_draft("c1").text == ""
    assert [line.id for line in history.list()] == ["c2"]


def test_a_draft_that_was_sent_leaves_no_text(history, path):
    history.save_draft("", f"{SECRET} " * 500)
    history.save_draft("", "")
    history.close()
    assert SECRET.encode() not in bytes_on_disk(path)
