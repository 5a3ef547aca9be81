"""Long pastes as chips, keys that continue a line, the user's editor, the clipboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.widgets import TextArea
from ui_samples import text_of
from ui_stand_in import Held, StandInSession, app_for, settled, typed, until

from tui.core.drafts import Draft
from tui.screens.paste import PasteScreen
from tui.widgets.paste_chips import PasteChip

LONG = "\n".join(f"line {number}" for number in range(16))
MARK = chr(0x10F000)


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


async def test_a_long_paste_is_a_chip_that_is_sent_in_full(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        composer = app.chat.composer
        await typed(pilot, "see ")
        app.post_message(events.Paste(LONG))
        await typed(pilot, " and ")
        app.post_message(events.Paste(f"{MARK} {LONG} ①"))
        await until(pilot, lambda: len(app.chat.query(PasteChip)) == 2)
        assert composer.text == f"see {LONG} and {MARK} {LONG} ①"
        assert len(composer.input.text) == len("see x and y")
        await until(pilot, lambda: "see ① and ②" in text_of(app))
        await until(pilot, lambda: "16 lines" in text_of(app))
        # What is typed, pastes expanded and their places, is kept; what is copied has them in it.
        await until(pilot, lambda: session.drafts.get("") == composer.text)
        assert session.pastes[""][0] == (4, 4 + len(LONG))
        composer.input.select_all()
        composer.input.action_copy()
        assert app.clipboard == composer.text
        # Backspace takes a whole one away, undo brings it back.
        composer.input.move_cursor(composer.input.document.end)
        await pilot.press("backspace")
        await until(pilot, lambda: len(app.chat.query(PasteChip)) == 1)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: len(app.chat.query(PasteChip)) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: len(session.sent) == 1)
        assert session.sent[0][0] == f"see {LONG} and {MARK} {LONG} ①"
        await until(pilot, lambda: not app.chat.query(PasteChip))
        # Up brings the prompt back with its chips; what it sends is the same.
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        await pilot.press("up")
        await until(pilot, lambda: len(app.chat.query(PasteChip)) == 2)
        assert composer.text == session.sent[0][0]


async def test_a_chip_is_opened_changed_expanded_and_removed(tmp_path: Path) -> None:
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        composer = app.chat.composer

        async def open_first() -> TextArea:
            app.chat.query(PasteChip)[0].focus()
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, PasteScreen))
            return app.screen.query_one(TextArea)

        app.post_message(events.Paste(LONG))
        await until(pilot, lambda: len(app.chat.query(PasteChip)) == 1)
        area = await open_first()
        area.load_text(f"changed\n{LONG}")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: composer.text == f"changed\n{LONG}")
        await pilot.press("ctrl+z")
        assert composer.text == LONG
        await open_first()
        await pilot.press("ctrl+o")
        await until(pilot, lambda: composer.input.text == LONG)
        await until(pilot, lambda: not app.chat.query(PasteChip))
        await pilot.press("ctrl+z")
        await until(pilot, lambda: len(app.chat.query(PasteChip)) == 1)
        app.chat.query(PasteChip)[0].focus()
        await pilot.press("delete")
        await until(pilot, lambda: composer.input.text == "")
        app.chat.action_open_paste("3")
        await until(pilot, lambda: any("no such paste" in note.message for note in app._notifications))


async def test_what_is_long_comes_from_the_config_file(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("paste_chip_lines = 0\npaste_chip_chars = 20\n")
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(events.Paste("a\n" * 10))
        await settled(pilot)
        assert app.chat.composer.pastes == ()
        app.post_message(events.Paste("b" * 21))
        await settled(pilot)
        assert app.chat.composer.pastes == ("b" * 21,)


async def test_a_backslash_before_enter_continues_the_line(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        app.chat.composer.text = "one\\"
        await pilot.press("enter", "t", "w", "o")
        assert app.chat.composer.text == "one\ntwo"
        assert session.sent == []
        app.chat.composer.text = "two of them \\\\"
        await pilot.press("enter")
        await until(pilot, lambda: [prompt for prompt, _ in session.sent] == ["two of them \\\\"])


async def test_a_queued_prompt_and_a_draft_come_back_with_their_chips(tmp_path: Path) -> None:
    held = Held()
    session = StandInSession(tmp_path, held)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await typed(pilot, "one")
        await pilot.press("enter")
        await until(pilot, lambda: len(session.sent) == 1)
        app.post_message(events.Paste(LONG))
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.composer.take_back_first)
        assert app.chat.queued()[0].text == LONG
        # Edited where it waits, it still has its chip; also when it comes back.
        app.chat.action_open_queue()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PasteScreen))
        app.screen.query_one(TextArea).insert("first of all: ", (0, 0))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.chat.queued()[0].text == f"first of all: {LONG}")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        await pilot.press("up")
        await until(pilot, lambda: app.chat.composer.pastes == (LONG,))
        held.go.set()
        await until(pilot, lambda: app.chat.answers_arriving == 0)
    again = app_for(session, open_conversation="c1")
    async with again.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: again.chat.composer.pastes == (LONG,))
        await settled(pilot)
        session.credentials.token = ""
        # What cannot be sent without a key is given back as it was.
        await pilot.press("enter")
        await settled(pilot)
        assert len(session.sent) == 1
        assert again.chat.composer.pastes == (LONG,)
        assert again.chat.composer.text == f"first of all: {LONG}"


async def test_earlier_prompts_of_other_conversations_come_after_those_of_this_one(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    session.recent = ("long ago", "elsewhere")
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await typed(pilot, "here")
        await pilot.press("enter")
        await until(pilot, lambda: len(session.sent) == 1 and app.chat.answers_arriving == 0)
        seen: list[str] = []
        for _ in range(3):
            await pilot.press("up")
            seen.append(app.chat.composer.text)
        assert seen == ["here", "elsewhere", "long ago"]


async def test_ctrl_v_takes_files_pictures_and_text_of_the_clipboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 a")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        composer = app.chat.composer
        uris = f"# copied\\r\\nfile://{tmp_path}/a.pdf\\r\\n"
        program(tmp_path, "xclip", f'case "$*" in *TARGETS*) echo text/uri-list;; *) printf "{uris}";; esac')
        await pilot.press("ctrl+v")
        await until(pilot, lambda: [file.name for file in app.chat._attachments] == ["a.pdf"])
        program(tmp_path, "xclip", 'case "$*" in *TARGETS*) echo image/png;; *) printf PNG;; esac')
        await pilot.press("ctrl+v")
        await until(pilot, lambda: [file.kind for file in app.chat._attachments] == ["pdf", "image"])
        program(tmp_path, "xclip", 'case "$*" in *TARGETS*) echo STRING;; *) printf "text\\033[0m";; esac')
        await pilot.press("ctrl+v")
        await until(pilot, lambda: composer.text == "text␛[0m")
        program(tmp_path, "xclip", "exit 1")
        await pilot.press("ctrl+v")
        await until(pilot, lambda: any("holds no text" in note.message for note in app._notifications))


async def test_an_editor_that_cannot_be_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "no-such-editor --wait")
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        app.chat.composer.draft = Draft("kept")
        await pilot.press("alt+e")
        await until(pilot, lambda: "no-such-editor, which" in "".join(n.message for n in app._notifications))
        monkeypatch.setenv("EDITOR", "true")
        await pilot.press("alt+e")
        await until(pilot, lambda: "cannot be given" in "".join(n.message for n in app._notifications))
        assert app.chat.composer.text == "kept"
