"""What is typed in the first moments is kept, although the history is not there yet."""

from __future__ import annotations

import asyncio
import os

from tui.app import OutcropApp
from tui.config.settings import load_settings
from tui.startup import session_after_first_paint


def app() -> OutcropApp:
    return OutcropApp(session_after_first_paint(load_settings({"sandbox": True}, os.environ)))


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
