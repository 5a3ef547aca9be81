"""Keys that come all at once do what they do one by one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.pdfs import make_pdf
from textual import events
from textual.keys import _character_to_key
from textual.widgets import Input
from ui_stand_in import at_rest, until

from tui.app import OutcropApp
from tui.commands import COMMANDS
from tui.config.settings import load_settings
from tui.startup import session_after_first_paint

CALM = [
    command.keys.split(",")[0]
    for command in COMMANDS
    # What writes to a file, asks the clipboard or leaves the screen to another program, what takes long, and
    # what ends the program.
    if command.keys and command.id not in ("composer.editor", "app.quit", "app.suspend", "checks.open")
]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a dialog may take longer than a user would wait."""
    monkeypatch.setattr("tui.typed_ahead._AT_MOST", 30.0)
    monkeypatch.setattr("tui.screens.base._CATCHES_UP", 30.0)


def app(folder: Path) -> OutcropApp:
    environ = {"OUTCROP_CONFIG_DIR": str(folder / "config"), "OUTCROP_DATA_DIR": str(folder / "data")}
    return OutcropApp(session_after_first_paint(load_settings({"sandbox": True}, environ)))


def key(name: str) -> events.Key:
    return events.Key(_character_to_key(name), name) if len(name) == 1 else events.Key(name, None)


def seen(program: OutcropApp) -> tuple[object, ...]:
    """What stands where."""
    chat = program.chat
    return (
        [type(screen).__name__ for screen in program.screen_stack],
        type(program.focused).__name__,
        [field.value for field in program.screen.query(Input)],
        chat.composer.text,
        [turn.prompt for turn in chat.session.conversation(chat.conversation_id).path()],
        chat.session.target(chat.conversation_id).model,
    )


async def outcome(folder: Path, keys: Sequence[str], *, at_once: bool, early: bool = False) -> object:
    program = app(folder)
    async with program.run_test(size=(120, 40)) as pilot, asyncio.timeout(60):
        if not early:
            await program.chat.warmed_up()
            await at_rest(pilot)
        for name in keys:
            program.post_message(key(name))
            if not at_once:
                await at_rest(pilot)
        await program.chat.warmed_up()
        await at_rest(pilot)
        found = seen(program)
        await program.session.aclose()
    return found


AHEAD = {
    "the picker's search": ["ctrl+o", *"nova"],
    "a model that is chosen": ["ctrl+o", *"gpt-5.5", "enter", *"and on"],
    "the history's search": ["ctrl+r", *"nova", "escape", *"and on"],
    "help": ["f1", *"nova", "escape", "escape", "x"],
    "a slash command": [*"/model", "enter", *"nova"],
    "a chord": ["ctrl+x", "m", *"nova"],
    "one after the other": ["f12", "escape", "f5", "escape", "ctrl+o", *"luna", "escape", "y"],
    "the palette": ["ctrl+p", *"history", "enter", *"nova"],
}


@pytest.mark.parametrize("keys", AHEAD.values(), ids=AHEAD)
async def test_letters_go_to_what_the_key_before_them_opens(keys: list[str], tmp_path: Path) -> None:
    slow = await outcome(tmp_path / "slow", keys, at_once=False)
    assert await outcome(tmp_path / "fast", keys, at_once=True) == slow
    assert await outcome(tmp_path / "early", keys, at_once=True, early=True) == slow


TALK = [*"zeolites", "enter", "ctrl+n", *"kyanites", "enter", "ctrl+n", *"epidotes", "enter", "ctrl+n"]


async def test_enter_takes_what_the_search_finds_not_what_was_listed_before(tmp_path: Path) -> None:
    program = app(tmp_path)
    async with program.run_test(size=(120, 40)) as pilot, asyncio.timeout(60):
        for name in TALK:
            program.post_message(key(name))
            await at_rest(pilot)
        for name in ("ctrl+r", *"zeolites", "enter", *"and on"):
            program.post_message(key(name))
        await at_rest(pilot)
        assert seen(program)[3:5] == ("and on", ["zeolites"])
        await program.session.aclose()


async def test_enter_attaches_what_the_letters_find_not_what_was_listed_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for name in ("first.pdf", "second.pdf", "third.pdf"):
        (files / name).write_bytes(make_pdf(name))
    monkeypatch.chdir(files)
    program = app(tmp_path)
    async with program.run_test(size=(120, 40)) as pilot, asyncio.timeout(60):
        await at_rest(pilot)
        for name in ("f3", *"thi", "enter", *"and on"):
            program.post_message(key(name))
        await at_rest(pilot)
        assert [file.name for file in program.chat._attachments] == ["third.pdf"]
        assert program.chat.composer.text == "and on"
        await program.session.aclose()


@pytest.mark.parametrize("seed", range(6))
async def test_any_keys_at_once_do_what_they_do_one_by_one(seed: int, tmp_path: Path) -> None:
    drawn = random.Random(seed)
    keys = [drawn.choice([*CALM, *"abc", "escape", "escape", "down", "tab"]) for _ in range(20)]
    slow = await outcome(tmp_path / "slow", keys, at_once=False)
    assert await outcome(tmp_path / "fast", keys, at_once=True) == slow, keys


async def test_keys_go_on_where_what_they_wait_for_does_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.typed_ahead._AT_MOST", 0.2)
    program = app(tmp_path)
    async with program.run_test(size=(120, 40)) as pilot:
        await program.chat.warmed_up()
        never = asyncio.Event()
        program.chat._do(never.wait, "never", keys_wait=True)  # type: ignore[arg-type]
        program.post_message(key("x"))
        await pilot.pause(0.05)
        assert program.chat.composer.text == ""
        await until(pilot, lambda: program.chat.composer.text == "x")
        never.set()
        await program.session.aclose()


@pytest.mark.parametrize(
    ("name", "done"),
    [
        ("ctrl+q", lambda app: not app.is_running and app.chat.composer.text == "x"),
        ("ctrl+c", lambda app: any("Cleared" in said.message for said in app._notifications)),
    ],
    ids=["ctrl+q", "ctrl+c"],
)
async def test_what_ends_the_program_does_not_wait_and_takes_what_was_typed_before(
    name: str, done: Callable[[OutcropApp], bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.typed_ahead._AT_MOST", 60.0)
    program = app(tmp_path)
    async with program.run_test(size=(120, 40)) as pilot, asyncio.timeout(20):
        await program.chat.warmed_up()
        never = asyncio.Event()
        program.chat._do(never.wait, "never", keys_wait=True)  # type: ignore[arg-type]
        program.post_message(key("x"))
        program.post_message(key(name))
        while not done(program):
            await pilot.pause(0.01)
        await program.session.aclose()
