from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from textual.pilot import Pilot
from ui_stand_in import Held, StandInSession, failing

from tui.app import OutcropApp
from tui.core.errors import StreamError


def app_for(session: StandInSession, **options: Any) -> OutcropApp:
    return OutcropApp(cast("Any", session), theme=None, **options)


async def typed(pilot: Pilot[int], text: str) -> None:
    await pilot.press(*("space" if char == " " else char for char in text))


async def settled(pilot: Pilot[int]) -> None:
    app = cast("OutcropApp", pilot.app)
    for _ in range(20):
        await pilot.pause()
    await app.chat.pane.drained()


def shown(app: OutcropApp) -> str:
    """What the pane holds, block by block."""
    pane = app.chat.pane
    return "\n".join(
        f"{view.block.kind}|{view.block.state}|{pane.plain_text(view.block.id)}" for view in pane._flow.views
    )


async def test_a_prompt_is_sent_by_enter_and_its_answer_is_drawn(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "hello there")
        await pilot.press("enter")
        await settled(pilot)
        assert [prompt for prompt, _ in session.sent] == ["hello there"]
        assert shown(app).splitlines() == [
            "user||hello there",
            "reasoning||Thinking about it.",
            "assistant||You said **hello there**",
        ]
        assert app.chat.composer.text == ""


async def test_escape_stops_the_answer_and_keeps_what_came(tmp_path: Path) -> None:
    held = Held()
    session = StandInSession(tmp_path, held)
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "go")
        await pilot.press("enter")
        await settled(pilot)
        assert app.chat.answers_arriving == 1
        await pilot.press("escape")
        await settled(pilot)
        assert held.cancelled
        assert app.chat.answers_arriving == 0
        assert "assistant|stopped|The first piece." in shown(app)


async def test_an_error_in_the_middle_keeps_the_text_and_says_why(tmp_path: Path) -> None:
    session = StandInSession(tmp_path, failing(StreamError("The stream broke off.")))
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "go")
        await pilot.press("enter")
        await settled(pilot)
        assert "assistant|failed|A part of " in shown(app)
        assert "error||The stream broke off." in shown(app)


async def test_a_fault_of_ours_becomes_a_sentence_and_the_program_goes_on(tmp_path: Path) -> None:
    session = StandInSession(tmp_path, failing(ZeroDivisionError("secret local")))
    app = app_for(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await typed(pilot, "go")
        await pilot.press("enter")
        await settled(pilot)
        assert "ZeroDivisionError" in shown(app)
        assert "secret local" not in shown(app)
        await typed(pilot, "still here")
        assert app.chat.composer.text == "still here"
