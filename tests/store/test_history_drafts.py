"""Drafts: text with its pastes, files with their bytes, of each conversation, through a kill."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from support.pdfs import make_pdf
from support.pictures import png
from support.store_support import completed, conversation

from tui.core.drafts import Draft, is_long_paste
from tui.core.items import user_message
from tui.session.attachments import attachment_of
from tui.store.history import History

LIMIT = 1_000_000
PDF = attachment_of("a.pdf", make_pdf("Granite " * 400), limit=LIMIT)
PICTURE = attachment_of("b.png", png(40, 30), limit=LIMIT)


def blobs(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT count(*) FROM blobs").fetchone()[0]


def test_a_draft_comes_back_with_its_pastes_and_files(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    history = History(path)
    history.save_draft("c1", "see LONG here", [(4, 8)])
    history.save_draft_files("c1", [PICTURE, PDF])
    history.save_draft("", "another")
    history.close()
    history = History(path)
    assert history.load_draft("c1") == Draft("see LONG here", ((4, 8),), (PICTURE, PDF))
    assert history.load_draft("") == Draft("another")
    assert blobs(path) == 1  # the PDF; the small picture is in its row
    history.save_draft_files("c1", [PICTURE])
    assert history.load_draft("c1").attachments == (PICTURE,)
    assert blobs(path) == 0
    history.close()


def test_a_turn_shares_the_bytes_with_the_draft_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    history = History(path)
    history.save_draft_files("", [PDF])
    history.save_conversation(conversation())
    history.save_turn("c1", completed("t1", "x", "y", input=(user_message("x", [PDF.content_part()]),)))
    assert blobs(path) == 1
    history.save_draft_files("", [])
    assert blobs(path) == 1
    history.save_draft_files("c1", [PDF])
    history.delete("c1")
    assert blobs(path) == 0
    assert history.load_draft("c1") == Draft()
    history.close()


def test_spans_that_do_not_fit_the_text_are_left_out(tmp_path: Path) -> None:
    history = History(tmp_path / "history.db")
    history.save_draft("c1", "12345", [(0, 2), (1, 3), (3, 9), (4, 5)])
    assert history.load_draft("c1").pastes == ((0, 2), (4, 5))
    history.save_draft("c2", "a\ud83db", [(1, 2)])
    assert history.load_draft("c2") == Draft("a\N{REPLACEMENT CHARACTER}b", ((1, 2),))
    history.close()


def test_recent_prompts_are_those_of_all_conversations_of_one_kind(tmp_path: Path) -> None:
    history = History(tmp_path / "history.db")
    for number in (1, 2, 3):
        history.save_conversation(conversation(number, sandbox=number == 3))
        history.save_turn(f"c{number}", completed(f"t{number}", f"prompt {number}", "y"))
    history.save_turn("c1", completed("t4", "a summary", "", parent="t1", summary=True))
    history.save_turn("c1", completed("t5", "prompt 5", "y", parent="t4"))
    assert history.recent_prompts(False, 10) == ("prompt 1", "prompt 2", "prompt 5")
    assert history.recent_prompts(False, 2) == ("prompt 2", "prompt 5")
    assert history.recent_prompts(True, 10) == ("prompt 3",)
    history.close()


def test_joining_and_stripping_keep_the_pastes_in_place() -> None:
    first, second = Draft("one PASTE", ((4, 9),), (PDF,)), Draft("PASTE two", ((0, 5),), (PDF, PICTURE))
    joined = Draft.joined([first, Draft("  "), second])
    assert joined.text == "one PASTE\n\nPASTE two"
    assert [joined.text[a:b] for a, b in joined.pastes] == ["PASTE", "PASTE"]
    assert joined.attachments == (PDF, PICTURE)
    stripped = Draft("\n a\n P \n", ((4, 6),)).stripped()
    assert (stripped.text, stripped.pastes) == ("a\n P", ((2, 4),))
    assert Draft("  x  ").stripped().text == "x"
    assert Draft("   ").stripped().is_empty
    whole = Draft("  \nP  ", ((1, 6),)).stripped()  # the paste's own blanks stay
    assert whole.text[whole.pastes[0][0] : whole.pastes[0][1]] == " \nP  "


def test_what_is_a_long_paste() -> None:
    assert not is_long_paste("x\n" * 15, 15, 0)
    assert is_long_paste("x\n" * 15 + "x", 15, 0)
    assert is_long_paste("x" * 11, 15, 10)
    assert not is_long_paste("x\n" * 1000, 0, 0)
