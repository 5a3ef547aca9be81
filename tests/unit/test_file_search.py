"""Finding files by their names, and what an `@` offers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.widgets.completion import complete_mention
from tui.widgets.file_search import FoundFile, fuzzy, kind_of, list_folder, read_text, split_path, walk


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    for name in (
        "papers/granite.pdf",
        "papers/deep/basalt map.png",
        "notes.md",
        ".git/x.pdf",
        "node_modules/y.pdf",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(name)
    (home / "loop").symlink_to(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    return home


def paths(files: object) -> list[str]:
    return [file.shown for file in files]  # type: ignore[attr-defined]


def test_a_walk_ends_and_leaves_out_what_programs_fill(home: Path) -> None:
    found = walk(str(home))
    assert found.whole
    assert set(paths(found.files)) == {
        "notes.md", "papers/", "node_modules/", "loop/", "papers/granite.pdf", "papers/deep/",
        "papers/deep/basalt map.png",
    }  # fmt: skip
    few = walk(str(home), most=2)
    assert (len(few.files), few.whole) == (2, False)
    assert not walk(str(home), seconds=0).whole
    assert ".git/" in paths(list_folder(str(home), hidden=True))
    assert list_folder(str(home / "missing")) == ()


def test_the_best_match_is_first() -> None:
    files = [FoundFile(path) for path in ("a/map/x.pdf", "amp.pdf", "big map.pdf", "map.pdf", "m/a/p.pdf")]
    assert paths(fuzzy("map", files)) == ["map.pdf", "big map.pdf", "a/map/x.pdf", "m/a/p.pdf"]
    assert paths(fuzzy("PDF big", files)) == ["big map.pdf"]
    assert fuzzy("[.*", files) == []
    assert len(fuzzy("", files, 2)) == 2


def test_a_typed_path_is_split_at_its_last_slash(home: Path) -> None:
    assert split_path("gra", "/base") == ("/base", "gra")
    assert split_path("~/papers/gr", "/base") == (str(home / "papers"), "gr")
    assert split_path("../x", "/base/y") == ("/base", "x")
    assert split_path("~", "/base") == (str(home), "")
    assert split_path("/", "/base") == ("/", "")


def test_an_at_sign_offers_files_below_and_paths(home: Path) -> None:
    offered = {completion.label: completion for completion in complete_mention("")}
    assert next(iter(offered)) == "notes.md"
    assert offered["notes.md"].detail == "its text, inserted"
    assert offered["papers/"].text == "@papers/"
    (found,) = complete_mention("basa")
    assert (found.label, found.detail) == ("papers/deep/basalt map.png", "image, attached")
    assert os.path.samefile(found.path, home / "papers/deep/basalt map.png")
    (found,) = complete_mention("~/papers/gran")
    assert (found.text, found.path) == ("@~/papers/granite.pdf", str(home / "papers/granite.pdf"))


def test_only_text_is_inserted(home: Path) -> None:
    assert read_text(str(home / "notes.md")) == "notes.md"
    (home / "a.bin").write_bytes(b"\xff\xfe\x00")
    (home / "big.txt").write_text("x" * 1_000_001)
    os.mkfifo(home / "pipe")
    for name, said in (
        ("a.bin", "no text"),
        ("big.txt", "longer than 1 MB"),
        ("pipe", "no regular"),
        ("no", "cannot"),
    ):
        with pytest.raises(ValueError, match=said):
            read_text(str(home / name))
    assert [kind_of(name) for name in ("A.PDF", "b.JPeG", "c.txt")] == ["PDF", "image", ""]
