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


async def test_text_typed_before_the_program_is_ready_is_there_at_the_next_start() -> None:
    first = app()
    async with first.run_test(size=(80, 24)) as pilot:
        first.chat.composer.put_back("half a thought")
        await pilot.press("ctrl+q")
        async with asyncio.timeout(10):
            while first.is_running:
                await pilot.pause(0.05)
    second = app()
    async with second.run_test(size=(80, 24)) as pilot:
        async with asyncio.timeout(10):
            while second.chat.composer.text != "half a thought":
                await pilot.pause(0.05)
        await second.session.aclose()
