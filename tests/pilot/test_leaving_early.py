"""What is typed in the first moments is kept, although the history is not there yet."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from ui_stand_in import at_rest

from tui.app import OutcropApp
from tui.commands import COMMANDS
from tui.config.settings import load_settings
from tui.screens.chat import ChatScreen
from tui.startup import session_after_first_paint


def app() -> OutcropApp:
    return OutcropApp(session_after_first_paint(load_settings({"sandbox": True}, os.environ)))


async def test_a_start_that_fails_ends_the_program_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every prompt would wait for a session that never comes."""

    async def broken(_: object) -> None:
        raise RuntimeError("no session")

    program = app()
    monkeypatch.setattr(program.session, "get_ready", broken.__get__(program.session))
    async with program.run_test(size=(80, 24)) as pilot, asyncio.timeout(10):
        while program.is_running:
            await pilot.pause(0.05)
    assert "Something in the start went wrong (RuntimeError)" in capsys.readouterr().err
    assert program.return_code == 1


def held_back(program: OutcropApp, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let the session get ready only when the event that is returned is set."""
    go_on = asyncio.Event()
    ready = program.session.get_ready

    async def held() -> None:
        await go_on.wait()
        await ready()

    monkeypatch.setattr(program.session, "get_ready", held)
    return go_on


async def came_of(program: OutcropApp, pilot: Pilot[None]) -> tuple[object, ...]:
    """What somebody sees who has asked for something, once the program has come to rest."""
    async with asyncio.timeout(20):
        await program.chat.warmed_up()
    await at_rest(pilot)
    chat = program.chat
    return (
        type(program.screen).__name__,
        type(program.screen.focused).__name__,
        [notification.message for notification in program._notifications],
        chat.notice.text,
        chat.session.conversation(chat.conversation_id).continuation,
        [widget.id for widget in chat.query("#inspector")],
    )


# One for each action; that of the editor wants a terminal.
RUN_IN_THE_CHAT = {
    name: command.action
    for command in COMMANDS
    if (name := command.action.partition("(")[0]).startswith("screen.") and name != "screen.edit_outside"
}


@pytest.mark.parametrize("action", RUN_IN_THE_CHAT.values(), ids=RUN_IN_THE_CHAT)
async def test_a_command_given_before_the_program_is_ready_does_what_it_does_later(
    action: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who types ahead types into a program that has not opened its history."""
    seen: list[tuple[object, ...]] = []
    for early in (True, False):
        monkeypatch.setenv("OUTCROP_DATA_DIR", str(tmp_path / str(early)))
        program = app()
        go_on = held_back(program, monkeypatch)
        async with program.run_test(size=(160, 30)) as pilot:
            if not early:
                go_on.set()
                await came_of(program, pilot)
            await program.run_action(action, program.chat)
            if early:
                await pilot.pause(0.05)
                go_on.set()
            seen.append(await came_of(program, pilot))
            await program.session.aclose()
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("typed", "came"),
    [
        ("/model gpt-5.5", lambda chat: chat.session.target(chat.conversation_id).model == "openai.gpt-5.5"),
        ("/effort high", lambda chat: "high" in str(chat.session.conversation(chat.conversation_id))),
        ("/export md", lambda chat: "nothing in this conversation" in str(list(chat.app._notifications))),
    ],
    ids=["model", "effort", "export"],
)
async def test_what_is_typed_after_a_commands_name_is_kept_too(
    typed: str, came: Callable[[ChatScreen], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = app()
    go_on = held_back(program, monkeypatch)
    async with program.run_test(size=(160, 30)) as pilot, asyncio.timeout(20):
        program.chat.composer.put_back(typed)
        await pilot.press("enter")
        while program.chat.notice.text != "Getting ready …":
            await pilot.pause(0.01)
        go_on.set()
        await came_of(program, pilot)
        assert came(program.chat)
        assert program.chat.notice.text == ""
        await program.session.aclose()


async def test_text_typed_before_the_program_is_ready_is_there_at_the_next_start() -> None:
    first = app()
    async with first.run_test(size=(80, 24)) as pilot:
        first.chat.composer.put_back("half a thought")
        await pilot.press("ctrl+q")
        async with asyncio.timeout(20):
            while first.is_running:
                await pilot.pause(0.05)
    assert first.return_code == 0
    second = app()
    async with second.run_test(size=(80, 24)) as pilot:
        async with asyncio.timeout(20):
            while second.chat.composer.text != "half a thought":
                await pilot.pause(0.05)
        await second.session.aclose()


async def test_text_that_cannot_be_kept_is_printed_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = app()
    monkeypatch.setattr("tui.screens.chat._OPENS_WITHIN", 0.1)
    monkeypatch.setattr(program.session, "get_ready", asyncio.Event().wait)
    async with program.run_test(size=(80, 24)) as pilot, asyncio.timeout(20):
        program.chat.composer.put_back("half a thought")
        await pilot.press("ctrl+q")
        while program.is_running:
            await pilot.pause(0.05)
    assert "here it is: half a thought" in " ".join(capsys.readouterr().err.split())
    assert program.return_code == 0
