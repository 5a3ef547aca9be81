"""The user's editor and the clipboard's tools, by programs made for the test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.core.errors import InputError
from tui.terminal.clipboard_reading import read_clipboard
from tui.terminal.external_editor import edit_text, editor_command


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def test_the_editor_is_visual_then_editor_and_may_have_words(tmp_path: Path) -> None:
    mine = program(tmp_path / "my tools", "edit", "")
    environ = {"VISUAL": f"'{mine}' --wait -c 'set ft=md'", "EDITOR": "vi"}
    assert editor_command(environ) == [str(mine), "--wait", "-c", "set ft=md"]
    for value, said in (("no-such-editor -w", "names no-such-editor"), ("'vi", "quotation mark")):
        with pytest.raises(InputError, match=said):
            editor_command({"EDITOR": value})


def test_without_any_editor_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="set \\$VISUAL or \\$EDITOR"):
        editor_command({})


async def test_what_the_editor_saves_comes_back_and_the_file_goes(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    editor = program(
        tmp_path,
        "edit",
        f'cp "$2" {seen}; ls -l "$2" >{seen}.mode; echo "$2" >{seen}.name; echo "more ü" >>"$2"',
    )
    assert await edit_text("a prompt\n", [str(editor), "-x"]) == "a prompt\nmore ü\n"
    assert await edit_text("one line", [str(editor), "-x"]) == "one linemore ü"
    assert seen.read_text() == "one line"
    assert Path(f"{seen}.mode").read_text().startswith("-rw-------")
    assert not os.path.exists(Path(f"{seen}.name").read_text().strip())


@pytest.mark.parametrize(
    ("script", "said"),
    [("exit 3", "ended with status 3"), ('printf "\\377" >"$1"', "no UTF-8"), ('rm "$1"', "no UTF-8")],
)
async def test_an_editor_that_fails_leaves_the_prompt(tmp_path: Path, script: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        await edit_text("x", [str(program(tmp_path, "edit", script))])


async def test_files_come_before_text_and_text_before_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = tmp_path / "kinds"
    program(
        tmp_path,
        "wl-paste",
        f'case "$*" in *list-types*) cat {kinds};; *uri-list*) echo "file:///a.pdf";;'
        " *text/plain*) printf text;;"
        ' *image/png*) printf "\\211PNG";; esac',
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    environ = {"WAYLAND_DISPLAY": "w"}
    kinds.write_text("text/html\nimage/png\n")
    found = await read_clipboard(environ, "linux")
    assert (found.image, found.text, found.tool) == (b"\x89PNG", "", "wl-paste")
    kinds.write_text("image/png\ntext/plain\n")
    assert (await read_clipboard(environ, "linux")).text == "text"
    kinds.write_text("text/plain\ntext/uri-list\n")
    assert (await read_clipboard(environ, "linux")).text == "file:///a.pdf\n"
    kinds.write_text("application/x-thing\n")
    assert (await read_clipboard(environ, "linux")).is_empty


async def test_other_tools_a_tool_that_hangs_and_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.terminal.clipboard_reading._SECONDS", 0.3)
    program(tmp_path, "xclip", 'case "$*" in *TARGETS*) echo UTF8_STRING;; *) sleep 9;; esac')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = await read_clipboard({"DISPLAY": ":0"}, "linux")
    assert found.is_empty
    assert found.tool == "xclip"
    (tmp_path / "xclip").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (await read_clipboard({"DISPLAY": ":0"}, "linux")).tool == ""
    program(tmp_path, "xsel", "printf 'a\\r\\nb'")
    assert (await read_clipboard({"DISPLAY": ":0"}, "linux")).text == "a\nb"
    assert (await read_clipboard({}, "linux")).is_empty
    program(tmp_path, "pbpaste", "")
    program(tmp_path, "osascript", 'case "$2" in *PNGf*) echo "«data PNGf89504E47»";; *) exit 1;; esac')
    assert (await read_clipboard({}, "darwin")).image == b"\x89PNG"
