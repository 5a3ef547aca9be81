"""What is typed in the first moments is kept, although the history is not there yet."""

from __future__ import annotations

import asyncio
import os

import pytest

from tui.app import OutcropApp
from tui.config.settings import load_settings
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


@pytest.mark.parametrize("keys", ["ctrl+n", "ctrl+r", "f12", "/model gpt-5.5", "/why"])
async def test_what_is_asked_for_before_the_program_is_ready_waits_for_it(
    keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = app()
    go_on = asyncio.Event()
    ready = program.session.get_ready

    async def held() -> None:
        await go_on.wait()
        await ready()

    monkeypatch.setattr(program.session, "get_ready", held)
    async with program.run_test(size=(160, 30)) as pilot, asyncio.timeout(20):
        if keys.startswith("/"):
            program.chat.composer.put_back(keys)
            keys = "enter"
        await pilot.press(keys)
        await pilot.pause(0.1)
        assert program.is_running and program.screen is program.chat
        go_on.set()
        await program.chat.warmed_up()
        await pilot.press(*"and on")
        assert program.is_running
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
