"""The list of turns, branches, and what changes the path, against the real session and server."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any, cast

import pytest
from reportlab.pdfgen.canvas import Canvas
from support.sessions import make_session, take_turn
from textual.pilot import Pilot
from textual.widgets import Static
from ui_samples import text_of
from ui_stand_in import Held, StandInSession, app_for, settled, shown, typed, until

from tui.app import OutcropApp
from tui.core.items import Outcome, Turn, user_message
from tui.sandbox.server import SandboxServer
from tui.screens.history import ConfirmScreen
from tui.screens.turns import TurnsScreen
from tui.session.session import Session
from tui.store.history import History
from tui.widgets.transcript.block import BlockKind


def app_of(session: Session) -> OutcropApp:
    return OutcropApp(session, theme=None, continue_latest=True)


async def talked(sandbox: SandboxServer, *prompts: str) -> tuple[Session, str]:
    session = make_session(sandbox)
    conversation = await session.new()
    for prompt in prompts:
        await take_turn(session, conversation.id, prompt)
    return session, conversation.id


def prompts_of(session: Session, conversation_id: str) -> list[str]:
    return [turn.prompt for turn in session.conversation(conversation_id).path()]


def titles_of(app: OutcropApp) -> list[str]:
    """The titles of the prompts in the pane."""
    views = app.chat.pane._flow.views
    return [view.block.title for view in views if view.block.kind is BlockKind.USER]


async def ready(pilot: Pilot[Any], session: Session, conversation_id: str) -> None:
    app = cast("OutcropApp", pilot.app)
    await until(pilot, lambda: app.chat.conversation_id == conversation_id and app.chat.has_class("-talking"))
    await settled(pilot)


async def listed(pilot: Pilot[Any]) -> TurnsScreen:
    await pilot.press("f4")
    await until(pilot, lambda: isinstance(pilot.app.screen, TurnsScreen))
    screen = pilot.app.screen
    assert isinstance(screen, TurnsScreen)
    await until(pilot, lambda: len(screen._table) > 0 or screen.has_class("-empty"))
    await pilot.pause()
    return screen


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_turns_of_the_path_are_listed_with_how_they_ended(
    sandbox: SandboxServer, size: tuple[int, int]
) -> None:
    session, conversation_id = await talked(sandbox, "first stone", "second stone")
    app = app_of(session)
    async with app.run_test(size=size) as pilot:
        await ready(pilot, session, conversation_id)
        await listed(pilot)
        screen = text_of(app)
        line = next(line for line in screen.splitlines() if "completed" in line)
        assert "first stone" in line
        assert "stateful" in line
        assert "1/" not in line
        assert ("openai.gpt" in line) == (size[0] == 160)
        await pilot.press("escape")
        assert app.screen is app.chat
    await session.aclose()


async def test_going_on_from_an_earlier_turn_begins_a_branch_and_walking_finds_both(
    sandbox: SandboxServer,
) -> None:
    session, conversation_id = await talked(sandbox, "one", "two", "three")
    app = app_of(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, session, conversation_id)
        await listed(pilot)
        await pilot.press("up", "up", "f")
        await until(pilot, lambda: prompts_of(session, conversation_id) == ["one"])
        await until(pilot, lambda: "A new branch begins here, 2 of 2" in shown(app))
        assert "user||two" not in shown(app)
        assert app.chat.status.state.branch == "2/2"
        assert "branch 2/2" in text_of(app)

        await typed(pilot, "other")
        await pilot.press("enter")
        await until(pilot, lambda: prompts_of(session, conversation_id) == ["one", "other"])
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        turns = session.conversation(conversation_id)
        assert len(turns.turns) == 4
        # The server was asked to go on from the response of the turn that was forked from.
        body = session.exchanges(conversation_id)[-1].request_body
        first = next(turn for turn in turns.turns.values() if turn.prompt == "one")
        assert str(first.response_id) in str(body)

        screen = await listed(pilot)
        assert screen._list.cursor == 1
        assert "2/2" in text_of(app)
        await pilot.press("left")
        await until(pilot, lambda: prompts_of(session, conversation_id) == ["one", "two", "three"])
        await until(pilot, lambda: len(screen._table) == 3)
        await pilot.pause()
        assert "1/2" in text_of(app)
        assert screen._list.cursor == 1
        await pilot.press("left")
        await pilot.pause()
        assert "There is no branch before this one." in text_of(app)
        await pilot.press("right")
        await until(pilot, lambda: prompts_of(session, conversation_id) == ["one", "other"])
        await pilot.press("up", "right")
        await pilot.pause()
        assert "The path does not part here" in text_of(app)
        await pilot.press("escape")
        await settled(pilot)
        assert "user||other" in shown(app)
        assert titles_of(app) == ["You", "You  ‹ 2/2 ›"]

        # The same walk from the pane: at the prompt in sight where the conversation parts.
        await pilot.press("alt+left")
        await until(pilot, lambda: prompts_of(session, conversation_id) == ["one", "two", "three"])
        await until(pilot, lambda: titles_of(app) == ["You", "You  ‹ 1/2 ›", "You"])
        await settled(pilot)
        assert "‹ 1/2 ›" in text_of(app)
        await pilot.press("alt+right")
        await until(pilot, lambda: titles_of(app) == ["You", "You  ‹ 2/2 ›"])
        await settled(pilot)
        assert "‹ 2/2 ›" in text_of(app)
        await pilot.press("alt+right")
        await settled(pilot)
        assert prompts_of(session, conversation_id) == ["one", "other"]

        # And while the pane has the keys, with one letter each, at its cursor.
        app.chat.pane.focus()
        await pilot.pause()
        await pilot.press("less_than_sign")
        await until(pilot, lambda: prompts_of(session, conversation_id) == ["one", "two", "three"])
        await until(pilot, lambda: titles_of(app) == ["You", "You  ‹ 1/2 ›", "You"])
        await pilot.press("home", "e")
        await until(pilot, lambda: app.chat.composer.text == "one")
        assert prompts_of(session, conversation_id) == []
    await session.aclose()


async def test_a_fork_without_a_prompt_is_left_by_walking_back(sandbox: SandboxServer) -> None:
    session, conversation_id = await talked(sandbox, "one", "two")
    app = app_of(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, session, conversation_id)
        await typed(pilot, "/fork")
        await pilot.press("enter")
        await until(pilot, lambda: prompts_of(session, conversation_id) == ["one"])
        screen = await listed(pilot)
        assert screen._table.lines[-1].turn is None
        assert "what you send next" in text_of(app)
        await pilot.press("left")
        await until(pilot, lambda: prompts_of(session, conversation_id) == ["one", "two"])
        await until(pilot, lambda: app.chat.status.state.branch == "")
    await session.aclose()


async def test_answering_once_more_adds_a_sibling_and_keeps_the_first_answer(sandbox: SandboxServer) -> None:
    session, conversation_id = await talked(sandbox, "one", "two")
    before = session.conversation(conversation_id)
    app = app_of(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, session, conversation_id)
        await typed(pilot, "/regenerate")
        await pilot.press("enter")
        await until(pilot, lambda: len(session.conversation(conversation_id).turns) == 3)
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        await settled(pilot)
        after = session.conversation(conversation_id)
        assert prompts_of(session, conversation_id) == ["one", "two"]
        assert after.turns[before.tip or ""] == before.turns[before.tip or ""]
        assert [turn.outcome for turn in after.path()] == [Outcome.COMPLETED, Outcome.COMPLETED]
        assert str(after.branch) == "2/2"
        assert shown(app).count("user||two") == 1
        assert "A new branch begins here, 2 of 2" in shown(app)
        assert session.settings.sandbox is False
        assert (await session.load_draft(conversation_id)).is_empty
    await session.aclose()


async def test_editing_brings_the_prompt_and_its_file_back_and_sends_beside_the_turn(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 700, "Granite is coarse.")
    canvas.save()
    file = tmp_path / "stone.pdf"
    file.write_bytes(buffer.getvalue())
    session = make_session(sandbox)
    conversation = await session.new()
    await take_turn(session, conversation.id, "what is it", await session.attach(str(file)))
    app = app_of(session)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(pilot, session, conversation.id)
        await listed(pilot)
        assert "stone.pdf" in text_of(app)
        await pilot.press("e")
        await until(pilot, lambda: app.chat.composer.text == "what is it")
        await until(pilot, lambda: "stone.pdf" in text_of(app))
        assert session.conversation(conversation.id).tip is None
        assert [attachment.pages for attachment in app.chat._attachments] == [1]
        await typed(pilot, " now")
        await pilot.press("enter")
        await until(pilot, lambda: prompts_of(session, conversation.id) == ["what is it now"])
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        rows = session.conversation(conversation.id).children(None)
        assert [turn.prompt for turn in rows] == ["what is it", "what is it now"]
        old, new = (next(part for part in turn.input[0].payload["content"]) for turn in rows)
        assert old == new
    await session.aclose()


async def test_enter_brings_the_turn_to_the_top_of_the_pane(sandbox: SandboxServer) -> None:
    session, conversation_id = await talked(sandbox, *(f"prompt number {number}" for number in range(8)))
    app = app_of(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, session, conversation_id)
        assert "prompt number 2" not in text_of(app)
        await listed(pilot)
        await pilot.press("home", "down", "down", "enter")
        await until(pilot, lambda: app.screen is app.chat and "prompt number 2" in text_of(app))
        assert prompts_of(session, conversation_id)[-1] == "prompt number 7"
        top = next(index for index, line in enumerate(text_of(app).splitlines()) if "prompt number 2" in line)
        assert top < 5
        assert not app.chat.pane.following
    await session.aclose()


async def test_a_turn_that_was_drawn_as_it_ran_is_found_too(sandbox: SandboxServer) -> None:
    session, conversation_id = await talked(sandbox, *(f"prompt number {number}" for number in range(4)))
    app = app_of(session)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, session, conversation_id)
        await typed(pilot, "fresh one")
        await pilot.press("enter")
        await until(pilot, lambda: len(session.conversation(conversation_id).turns) == 5)
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        app.chat.action_scroll_pane("home")
        await settled(pilot)
        await listed(pilot)
        await pilot.press("end", "enter")
        await until(pilot, lambda: app.screen is app.chat and "fresh one" in text_of(app))
    await session.aclose()


async def test_while_an_answer_arrives_the_path_stays_and_it_says_why(tmp_path: Path) -> None:
    held = Held()
    session = StandInSession(tmp_path, held)
    app = app_for(session)
    async with app.run_test(size=(90, 24)) as pilot:
        await typed(pilot, "one")
        await pilot.press("enter")
        await settled(pilot)
        screen = await listed(pilot)
        tip = session.conversation("c1").tip
        for key in ("f", "e", "r", "left"):
            await pilot.press(key)
            await pilot.pause()
            assert app.screen is screen
            assert "An answer is still arriving in this conversation; Esc stops it." in text_of(app)
            await pilot.press("down")
        await pilot.press("escape")
        await typed(pilot, "/edit")
        await pilot.press("enter")
        await settled(pilot)
        assert session.conversation("c1").tip == tip
        assert app.chat.composer.text == ""
        assert [prompt for prompt, _ in session.sent] == ["one"]
        held.go.set()
        await until(pilot, lambda: app.chat.answers_arriving == 0)


async def test_numbers_that_name_no_turn_are_said(sandbox: SandboxServer) -> None:
    session, conversation_id = await talked(sandbox, "one", "two")
    app = app_of(session)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await ready(pilot, session, conversation_id)
        await typed(pilot, "/edit 3")
        await pilot.press("enter")
        await until(pilot, lambda: "There is no turn 3" in text_of(app))
        await typed(pilot, "/edit 1")
        await pilot.press("enter")
        await until(pilot, lambda: app.chat.composer.text == "one")
        assert prompts_of(session, conversation_id) == []
    await session.aclose()


@pytest.mark.parametrize(("turns", "scrolls"), [(2, False), (40, True)])
async def test_the_titles_stand_over_their_columns_with_a_scrollbar_and_without(
    tmp_path: Path, turns: int, scrolls: bool
) -> None:
    session = StandInSession(tmp_path)
    conversation = await session.new()
    for number in range(turns):
        turn = Turn(f"t{number}", conversation.tip, (user_message("stone " * 20),), 0.0)
        conversation = conversation.append(replace(turn, outcome=Outcome.COMPLETED))
    session.add(conversation)
    app = app_for(session, continue_latest=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.chat.has_class("-talking"))
        screen = await listed(pilot)
        await settled(pilot)
        assert screen._list.show_vertical_scrollbar is scrolls
        lines = text_of(app).splitlines()
        titles = next(line for line in lines if "prompt" in line and "ended" in line)
        rows = [line for line in lines if "completed" in line and "stone" in line]
        assert rows
        for row in rows:
            assert row.index("completed") == titles.index("ended"), (titles, row)
            assert row.index("stateful") == titles.index("sent")


async def test_a_branch_is_deleted_after_a_question_that_says_what_goes_and_what_stays(
    sandbox: SandboxServer,
) -> None:
    session, conversation_id = await talked(sandbox, "one", "two", "three")
    app = app_of(session)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await ready(pilot, session, conversation_id)
        await listed(pilot)
        await pilot.press("up", "delete")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.pause()
        question = str(app.screen.query(Static).first().content)
        assert "Delete 2 turns with" in question
        assert "from “two” on, from this machine? It cannot be undone." in question
        assert "The 2 stored responses of it stay at the server until deleted there." in question
        # Enter keeps.
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.chat)
        assert prompts_of(session, conversation_id) == ["one", "two", "three"]

        # By command too: the turn of this number.
        await typed(pilot, "/delete-branch 2")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: prompts_of(session, conversation_id) == ["one"])
        await until(pilot, lambda: "user||two" not in shown(app))
        assert "user||one" in shown(app)
        kept = await session.records.call(History.load, conversation_id)
        assert [turn.prompt for turn in kept.turns.values()] == ["one"]
        assert await session.search("three") == []
        assert len([row for row in await session.responses.list() if not row.response.deleted_at]) == 3

        # The next prompt goes on from what is left, by the id the server keeps of it.
        await typed(pilot, "four")
        await pilot.press("enter")
        await until(pilot, lambda: prompts_of(session, conversation_id) == ["one", "four"])
        await until(pilot, lambda: app.chat.answers_arriving == 0)
        body = str(session.exchanges(conversation_id)[-1].request_body)
        assert str(kept.turns[str(kept.tip)].response_id) in body

        # And the last one takes the conversation out of the history; the screen goes on with it, empty.
        await typed(pilot, "/delete-branch 1")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: not session.conversation(conversation_id).turns)
        await until(pilot, lambda: not app.chat.has_class("-talking"))
        assert await session.list() == []
    await session.aclose()


async def test_ten_thousand_turns_are_listed_at_once_and_searched(tmp_path: Path) -> None:
    session = StandInSession(tmp_path)
    made = await session.new()
    turns = {
        f"t{number}": Turn(
            f"t{number}",
            f"t{number - 1}" if number else None,
            (user_message(f"question {number} about {'granite' if number == 4321 else 'slate'}"),),
            float(number),
            outcome=Outcome.COMPLETED,
        )
        for number in range(10_000)
    }
    session.add(replace(made, turns=turns, tip="t9999"))
    app = app_for(session, continue_latest=True)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.chat.has_class("-talking"))
        start = process_time()
        screen = await listed(pilot)
        # With the frames that are drawn meanwhile; reading every prompt first would be several times that.
        assert process_time() - start < 1.5
        assert len(screen._table) == 10_000
        assert screen._list.cursor == 9_999
        assert len(screen._words) < 100
        assert "question 9999" in text_of(app)
        # Letters typed in the search are no commands.
        await pilot.press("slash", *"granite")
        await until(pilot, lambda: len(screen._table) == 1)
        await pilot.pause()
        assert "question 4321" in text_of(app)
        await pilot.press("enter", "escape")
        await until(pilot, lambda: len(screen._table) == 10_000)
        await pilot.press("slash", *"17")
        await until(pilot, lambda: 1 < len(screen._table) < 10_000)
        assert screen._table.lines[0].number == 17
        await pilot.press("ctrl+u", *"marble")
        await until(pilot, lambda: "No turn of this path holds that." in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: len(screen._table) == 10_000)
        await pilot.press("escape")
        assert app.screen is app.chat
