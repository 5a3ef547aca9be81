"""What sends is imported when something is written, and not before."""

from __future__ import annotations

from pathlib import Path

from ui_stand_in import StandInSession, app_for, settled, typed, until


class Counting(StandInSession):
    """Counts how often it was to get ready, and to warm up."""

    ready = 0
    warm = 0

    async def get_ready(self) -> None:
        self.ready += 1

    async def warm_up(self) -> None:
        self.warm += 1


async def test_writing_warms_up_once_and_looking_does_not(tmp_path: Path) -> None:
    session = Counting(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: bool(app.chat.conversation_id))
        await pilot.press("pageup", "space")
        await pilot.pause(0.2)
        assert (session.ready, session.warm) == (1, 0)
        await typed(pilot, "Hello")
        await until(pilot, lambda: session.warm == 1)
        await typed(pilot, " there")
        await pilot.pause(0.2)
        await pilot.pause(0.2)
        assert session.warm == 1
