"""The library of named instructions: what comes with Outcrop, one's own files, and bad ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.session.instructions import BUILT_IN, load_library


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "config" / "instructions"
    folder.mkdir(parents=True)
    return folder


def test_three_come_with_the_program(tmp_path: Path) -> None:
    library = load_library(tmp_path / "nowhere")
    assert [entry.name for entry in library.entries] == ["code review", "document reader", "plain words"]
    assert library.complaints == ()
    for entry in library.entries:
        assert entry.path.parent == BUILT_IN
        assert entry.description
        assert "\n" not in entry.text
        assert entry.text == entry.text.strip()


def test_one_s_own_are_added_and_win(folder: Path) -> None:
    (folder / "mine.toml").write_text('text = "Answer in verse.\\nAlways."\n')
    (folder / "b.toml").write_text(
        'name = "Code  Review"\ndescription = "mine\\tonly"\ntext = """\n  Look twice.\n"""\n'
    )
    (folder / "notes.txt").write_text("no instructions")
    library = load_library(folder.parent)
    assert library.complaints == ()
    assert [entry.name for entry in library.entries] == [
        "Code Review", "document reader", "mine", "plain words",
    ]  # fmt: skip
    mine, review = library.named("MINE "), library.named("code review")
    assert mine is not None and mine.text == "Answer in verse.\nAlways."
    assert review is not None and review.text == "Look twice."
    assert library.named("nothing") is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"text = ", "left out"),
        (b'description = "x"', "text is missing or empty"),
        (b'text = "  "', "text is missing or empty"),
        (b"text = 3", "text must be a text"),
        (b'text = "x"\nmodel = "y"', "unknown key 'model'; allowed are name, text, description"),
        (b'text = "\xff"', "it is not UTF-8 text"),
        (b'text = "x"\nname = "' + b"n" * 61 + b'"', "name is longer than 60 characters"),
        (b'text = "' + b"x" * 1_000_000 + b'"', "larger than 1 MB"),
    ],
)
def test_a_bad_file_is_said_and_the_others_are_there(folder: Path, content: bytes, words: str) -> None:
    (folder / "bad.toml").write_bytes(content)
    (folder / "good.toml").write_text('text = "x"')
    library = load_library(folder.parent)
    assert library.named("good") is not None
    (complaint,) = library.complaints
    assert "bad.toml" in complaint
    assert words in complaint


def test_two_files_of_one_name(folder: Path) -> None:
    (folder / "a.toml").write_text('name = "twin"\ntext = "first"')
    (folder / "b.toml").write_text('name = "Twin"\ntext = "second"')
    library = load_library(folder.parent)
    twin = library.named("twin")
    assert twin is not None and twin.text == "first"
    assert "b.toml" in library.complaints[0] and "a.toml has the name 'Twin'" in library.complaints[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.toml")
    (complaint,) = load_library(folder.parent).complaints
    assert "it is no file" in complaint
