"""Going on from a summary, with the real session and a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.sessions import make_session
from textual.pilot import Pilot
from textual.widgets import TextArea
from ui_real import ready, send
from ui_stand_in import StandInSession, app_for, settled, shown, typed, until

from tui.app import OutcropApp
from tui.core.compaction import Summary
from tui.sandbox.server import SandboxServer
from tui.screens.summary import SummaryScreen


async def asked(app: OutcropApp, pilot: Pilot[Any]) -> SummaryScreen:
    app.chat.composer.text = "/compact"
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, SummaryScreen))
    assert isinstance(app.screen, SummaryScreen)
    return app.screen


async def test_the_summary_is_shown_changed_and_continued_from(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(100, 40)) as pilot:
        conversation = await ready(app, pilot)
        first = await send(app, pilot, "My name is Ada.")
        screen = await asked(app, pilot)
        assert not screen.summary.is_empty
        screen.query_one("#summary-facts", TextArea).text = "The user is Ada.\n\n  She likes basalt.  "
        screen.query_one("#summary-constraints", TextArea).text = ""
        screen.query_one("#summary-action", TextArea).text = "Go on."
        await pilot.press("ctrl+s")
        await until(pilot, lambda: session.conversation(conversation).path()[-1].summary)
        await until(pilot, lambda: "goes on from a summary; its 1 turn is kept" in shown(app))
        (root,) = session.conversation(conversation).path()
        assert "She likes basalt." in root.prompt and "Go on." in root.prompt
        assert first.id in session.conversation(conversation).turns
        assert "user||" not in shown(app)
        assert "tool||" in shown(app)
        await send(app, pilot, "Who am I?")
        sent = sandbox.last_context()
        assert "The user is Ada." in str(sent)
        assert "My name is Ada." not in str(sent)
    await session.aclose()


async def test_escape_discards_and_the_conversation_is_as_it_was(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(100, 40)) as pilot:
        conversation = await ready(app, pilot)
        turn = await send(app, pilot, "Hello")
        before = shown(app)
        await asked(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
        assert session.conversation(conversation).tip == turn.id
        assert shown(app) == before
        assert not app.chat.is_answering
    await session.aclose()


async def test_with_nothing_to_sum_up_a_sentence_says_so(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(100, 40), notifications=True) as pilot:
        await ready(app, pilot)
        app.chat.composer.text = "/compact"
        await pilot.press("enter")
        await until(pilot, lambda: any("nothing to sum up" in n.message for n in app._notifications))
        assert app.screen is app.chat
        assert not app.chat.is_answering
    await session.aclose()


async def test_a_prompt_typed_meanwhile_waits_for_the_answer_to_the_dialog(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(100, 40)) as pilot:
        conversation = await ready(app, pilot)
        await send(app, pilot, "Hello")
        sandbox.fault({"stall_events": 2, "stall_seconds": 1.5})
        app.chat.composer.text = "/compact"
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.is_summing_up)
        app.chat.composer.text = "Reply with exactly: delta"
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.queue_line.display or isinstance(app.screen, SummaryScreen))
        await until(pilot, lambda: isinstance(app.screen, SummaryScreen))
        assert len(session.conversation(conversation).turns) == 1
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "assistant||delta" in shown(app))
        assert session.conversation(conversation).path()[0].summary
    await session.aclose()


async def test_esc_stops_the_making_of_a_summary(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(100, 40), notifications=True) as pilot:
        await ready(app, pilot)
        await send(app, pilot, "Hello")
        sandbox.fault({"stall_events": 2})
        app.chat.composer.text = "/compact"
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.is_summing_up and "summed up" in app.chat.notice.text)
        await pilot.press("escape")
        await until(pilot, lambda: not app.chat.is_answering)
        await until(pilot, lambda: any("No summary was made" in n.message for n in app._notifications))
        await send(app, pilot, "Reply with exactly: delta")
        assert "assistant||delta" in shown(app)
    await session.aclose()


async def test_a_full_window_is_said_once_for_each_turn_and_never_as_a_dialog(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    share: list[float | None] = [0.5]
    session.should_offer_compaction = lambda conversation_id: share[0]  # type: ignore[method-assign]
    app = app_for(session)
    async with app.run_test(size=(100, 24)) as pilot:
        await typed(pilot, "one")
        await pilot.press("enter")
        await until(pilot, lambda: "50% of the context window is used" in app.chat.notice.text)
        assert "Ctrl+L" in app.chat.notice.text
        assert app.screen is app.chat
        app.chat.notice.hush()
        await app.chat.show_conversation(session.conversation(app.chat.conversation_id))
        assert app.chat.notice.text == ""
        await typed(pilot, "two")
        await pilot.press("enter")
        await until(pilot, lambda: "50% of the context window is used" in app.chat.notice.text)
        share[0] = None
        await typed(pilot, "three")
        await pilot.press("enter")
        await until(pilot, lambda: len(session.sent) == 3 and not app.chat.answers_arriving)
        await settled(pilot)
        assert app.chat.notice.text == ""


async def test_what_the_model_wrote_is_text_and_an_empty_summary_is_refused(tmp_path: Path) -> None:
    app = app_for(StandInSession(tmp_path))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: bool(app.chat.conversation_id))
        answers: list[Summary | None] = []
        summary = Summary(("[red]a\x1b[2Jb", "two\nlines"), (), "")
        screen = SummaryScreen(summary, 3)
        app.push_screen(screen, answers.append)
        await until(pilot, lambda: app.screen is screen and screen.is_mounted)
        await pilot.pause()
        assert "\x1b" not in screen.query_one("#summary-facts", TextArea).text
        assert screen.summary.durable_facts[1] == "two lines"
        screen.query_one("#summary-facts", TextArea).text = " \n "
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.screen is screen and answers == []
        await pilot.press("escape")
        await until(pilot, lambda: answers == [None])
