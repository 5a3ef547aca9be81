"""The list of stored responses, with the real session and a real server."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from support.sessions import make_session, take_turn
from textual.pilot import Pilot
from textual.widgets import Static
from ui_real import ready
from ui_stand_in import until

from tui.app import OutcropApp
from tui.core.events import TextDelta
from tui.sandbox.server import SandboxServer
from tui.screens.history import ConfirmScreen
from tui.screens.raw_response import RawResponseScreen
from tui.screens.responses import ResponsesScreen, age_words
from tui.session.session import Session
from tui.widgets.virtual_lines import VirtualLines


async def stored(session: Session, *prompts: str) -> list[str]:
    ids: list[str] = []
    conversation = await session.new()
    for prompt in prompts:
        taken = await take_turn(session, conversation.id, prompt)
        assert taken.turn.response_id is not None
        ids.append(taken.turn.response_id)
    return ids


async def opened(app: OutcropApp, pilot: Pilot[Any]) -> ResponsesScreen:
    await ready(app, pilot)
    app.chat.composer.text = "/responses"
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, ResponsesScreen))
    screen = app.screen
    assert isinstance(screen, ResponsesScreen)
    await until(pilot, lambda: screen.has_class("-empty") or bool(screen._table.rows))
    return screen


def rows(screen: ResponsesScreen, width: int = 120) -> list[str]:
    return [screen._table.row(index, width).text for index in range(len(screen._table))]


def detail(screen: ResponsesScreen) -> str:
    return str(screen.query_one("#responses-detail", Static).render())


async def test_nothing_stored_says_so(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    app = OutcropApp(session)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(app, pilot)
        assert screen.has_class("-empty")
        assert "stored for 30 days" in str(screen.query_one("#responses-empty", Static).render())
        await pilot.press("d", "D", "space", "enter")
        assert app.screen is screen
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.chat)
    await session.aclose()


async def test_each_is_listed_with_its_conversation_and_how_long_it_is_kept(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    first, second = await stored(session, "My [bold]name[/] is Ada.", "And now?")
    app = OutcropApp(session)
    async with app.run_test(size=(120, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ResponsesScreen))
        screen = app.screen
        assert isinstance(screen, ResponsesScreen)
        await until(pilot, lambda: len(screen._table) == 2)
        newest, oldest = rows(screen)
        assert second[:8] in newest and first[:8] in oldest
        for line in (newest, oldest):
            assert "My [bold]name[/] is Ada." in line
            assert session.settings.model in line
            assert session.settings.region in line
            assert "29 of 30 d" in line or "30 of 30 d" in line
        assert second in detail(screen)
    await session.aclose()


async def test_enter_shows_the_raw_object(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    (first,) = await stored(session, "Reply with exactly: alpha beta")
    app = OutcropApp(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RawResponseScreen))
        page = app.screen.query_one(VirtualLines)
        await until(pilot, lambda: len(page.source) > 5)
        text = "\n".join(page.source.row(index, 96).text for index in range(len(page.source)))
        assert f'"id": "{first}"' in text
        assert "alpha beta" in text
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, ResponsesScreen))
    await session.aclose()


async def test_one_that_the_server_does_not_know_says_so_and_is_gone(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    first, second = await stored(session, "Hello", "Again")
    app = OutcropApp(session)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(app, pilot)
        sandbox.fault({"on": "retrieve", "status": 404})
        await pilot.press("enter")
        await until(pilot, lambda: "404" in detail(screen))
        assert app.screen is screen
        assert [row.response.response_id for row in screen._table.rows] == [first]
        await pilot.pause()
        assert "404" in detail(screen)
        await pilot.press("tab")
        await until(pilot, lambda: screen._gone and len(screen._table.rows) == 1)
        assert screen._table.rows[0].response.response_id == second
    await session.aclose()


async def test_one_of_an_answer_that_was_stopped_is_unknown_not_kept(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    await stored(session, "Hello")
    conversation = await session.new()
    async with aclosing(session.send(conversation.id, "Write 60 words about granite")) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break
    app = OutcropApp(session)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await opened(app, pilot)
        stopped, whole = rows(screen)
        assert "unknown" in stopped and "of 30 d" not in stopped
        assert "of 30 d" in whole and "unknown" not in whole
        assert "may not have kept it" in detail(screen)
    await session.aclose()


async def test_d_asks_and_deletes_the_one_under_the_cursor(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    first, second = await stored(session, "Hello", "Again")
    app = OutcropApp(session)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is screen)
        assert len(rows(screen)) == 2
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: len(screen._table.rows) == 1)
        assert screen._table.rows[0].response.response_id == first
        assert "deleted" in detail(screen)
        await pilot.press("tab")
        await until(pilot, lambda: screen._gone and len(screen._table.rows) == 1)
        assert screen._table.rows[0].response.response_id == second
        assert "deleted" in rows(screen)[0]
    await session.aclose()


async def test_marked_ones_are_deleted_together_and_what_fails_stays_with_its_reason(
    sandbox: SandboxServer,
) -> None:
    session = make_session(sandbox, max_retries=0)
    first, second, third = await stored(session, "One", "Two", "Three")
    app = OutcropApp(session)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("space", "space")
        assert "2 marked" in detail(screen)
        sandbox.fault({"on": "delete", "status": 500})
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: len(screen._table.rows) == 2)
        kept = {row.response.response_id for row in screen._table.rows}
        assert first in kept and len(kept & {second, third}) == 1
        assert "1 was not" in detail(screen)
        assert any("delete failed" in line for line in rows(screen))
    await session.aclose()
    later = make_session(sandbox)
    await later.warm_up()
    assert later._retry is not None
    await later._retry
    assert [row.response.response_id for row in await later.responses.list()] == [first]
    await later.aclose()


async def test_all_shown_are_deleted_after_a_question_with_their_number(sandbox: SandboxServer) -> None:
    session = make_session(sandbox)
    await stored(session, "One", "Two", "Three")
    app = OutcropApp(session)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(app, pilot)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "these 3 responses" in str(app.screen.query_one(Static).render())
        await pilot.press("y")
        await until(pilot, lambda: screen.has_class("-empty"))
    await session.aclose()


def test_ages() -> None:
    assert [age_words(seconds) for seconds in (3, 120, 7200, 3 * 86_400)] == ["3 s", "2 min", "2 h", "3 d"]
