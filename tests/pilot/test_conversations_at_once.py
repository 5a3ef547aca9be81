"""Several conversations at once, with the real session and real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.sessions import make_session
from textual.pilot import Pilot
from textual.widgets import Static
from ui_real import ready
from ui_samples import text_of
from ui_stand_in import settled, shown, typed, until

from tui.app import OutcropApp
from tui.core.items import Outcome, Turn
from tui.sandbox.server import SandboxServer
from tui.screens.history import ConfirmScreen, HistoryScreen
from tui.screens.open_conversations import OpenConversationsScreen
from tui.screens.rename import RenameScreen
from tui.store.history import History

WORDS_A = " ".join(f"alpha{number}" for number in range(60))
WORDS_B = " ".join(f"beta{number}" for number in range(60))


STALLED = {"stall_events": 12}
"""Silent in the middle of the answer, until the client goes."""
A_WHILE = {"stall_events": 12, "stall_seconds": 2.5}


@pytest.fixture
def slow(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SandboxServer]:
    rate = getattr(request, "param", None)
    with SandboxServer(tmp_path / "slow", rate=rate, tokenizer="words") as server:
        yield server


@pytest.fixture
async def app(slow: SandboxServer) -> AsyncIterator[tuple[OutcropApp, Pilot[Any]]]:
    made = OutcropApp(make_session(slow))
    async with made.run_test(size=(100, 30), notifications=True) as pilot:
        await ready(made, pilot)
        yield made, pilot
        await made.chat.shut_down()
        await made.session.aclose()


async def begin(program: OutcropApp, pilot: Pilot[Any], prompt: str) -> str:
    """Send a prompt and wait until text of the answer has come; the conversation's id."""
    conversation_id = program.chat.conversation_id
    program.chat.composer.text = prompt
    await pilot.press("enter")

    def has_output() -> bool:
        live = program.chat._live.get(conversation_id)
        ended = any(turn.outcome for turn in program.session.conversation(conversation_id).turns.values())
        return live.has_output if live is not None else ended

    await until(pilot, has_output)
    return conversation_id


async def another(program: OutcropApp, pilot: Pilot[Any]) -> str:
    before = program.chat.conversation_id
    await pilot.press("ctrl+n")
    await until(pilot, lambda: program.chat.conversation_id != before)
    await settled(pilot)
    return program.chat.conversation_id


async def go(program: OutcropApp, pilot: Pilot[Any], key: str, wanted: str) -> None:
    await pilot.press(key)
    await until(pilot, lambda: program.chat.conversation_id == wanted)
    await settled(pilot)


def only_turn(program: OutcropApp, conversation_id: str) -> Turn:
    (turn,) = program.session.conversation(conversation_id).turns.values()
    return turn


@pytest.mark.parametrize("slow", [15.0], indirect=True)
async def test_two_answers_stream_on_while_it_is_switched_between_them(
    app: tuple[OutcropApp, Pilot[Any]], slow: SandboxServer
) -> None:
    program, pilot = app
    chat = program.chat
    first = await begin(program, pilot, f"Reply with exactly: {WORDS_A}")
    second = await another(program, pilot)
    await begin(program, pilot, f"Reply with exactly: {WORDS_B}")
    assert chat.answers_arriving == 2
    assert chat.status.state.elsewhere == 1
    # To and fro while both stream: what is shown is the one's own, with all its text so far.
    looks = 0
    while chat.answers_arriving == 2:
        wanted = first if chat.conversation_id == second else second
        await go(program, pilot, "ctrl+pagedown" if looks % 2 else "ctrl+pageup", wanted)
        mine, other = ("alpha", "beta") if wanted == first else ("beta", "alpha")
        drawn = shown(program)
        assert f"{mine}0 {mine}1" in drawn
        assert other not in drawn
        looks += 1
    assert looks >= 3
    await until(pilot, lambda: not chat.answers_arriving)
    for conversation_id, words in ((first, WORDS_A), (second, WORDS_B)):
        turn = only_turn(program, conversation_id)
        assert (turn.outcome, turn.text) == (Outcome.COMPLETED, words)
        await chat.open_conversation(conversation_id)
        await settled(pilot)
        drawn = shown(program)
        assert f"assistant||{words}\n" in f"{drawn}\n"
        await chat.draw()
        # As if it had never been left, and as it is drawn from the history.
        assert shown(program) == drawn
        kept = await program.session.records.call(History.load, conversation_id)
        assert kept.turns[turn.id] == turn
        for exchange in program.session.exchanges(conversation_id):
            assert exchange.turn_id == turn.id


@pytest.mark.parametrize("slow", [400.0], indirect=True)
async def test_who_comes_back_finds_the_place_that_was_read(
    app: tuple[OutcropApp, Pilot[Any]], slow: SandboxServer
) -> None:
    program, pilot = app
    chat = program.chat

    def top() -> str:
        return next(line for line in text_of(program).split("\n") if line.strip())

    first = await begin(program, pilot, "Write 60 lines")
    await until(pilot, lambda: not chat.pane.following or chat.pane.virtual_size.height > 60)
    await pilot.press("pageup", "pageup")
    seen = top()
    second = await another(program, pilot)
    # The answer ends while it is out of sight: it is drawn by other names afterwards.
    await until(pilot, lambda: not chat.answers_arriving)
    await begin(program, pilot, "Write 60 lines")
    await until(pilot, lambda: not chat.answers_arriving)
    await go(program, pilot, "ctrl+pageup", first)
    assert (top(), chat.pane.following) == (seen, False)
    await pilot.press("pageup")
    seen = top()
    # Who read at the end comes back to the end.
    await go(program, pilot, "ctrl+pagedown", second)
    assert chat.pane.following
    await go(program, pilot, "ctrl+pageup", first)
    assert (top(), chat.pane.following) == (seen, False)
    assert chat.composer.has_class("-metered")
    await another(program, pilot)
    assert not chat.composer.has_class("-metered"), "no row of dashes where nothing was sent"


async def test_stop_stops_the_shown_one_and_what_has_ended_elsewhere_is_told_with_the_key_to_it(
    app: tuple[OutcropApp, Pilot[Any]], slow: SandboxServer
) -> None:
    program, pilot = app
    chat = program.chat
    slow.fault(STALLED)
    first = await begin(program, pilot, f"Reply with exactly: {WORDS_A}")
    second = await another(program, pilot)
    slow.fault({**A_WHILE, "failed_deltas": 12})
    await begin(program, pilot, f"Reply with exactly: {WORDS_B}")
    await go(program, pilot, "ctrl+pageup", first)
    await until(pilot, lambda: second not in chat._live)
    # The other one failed: it says so, by name, with the key that goes there.
    assert chat.status.state.failed == 1
    line = chat.status.render().plain
    assert "✗ 1 failed" in line
    assert "Alt+G goes there" in line
    assert "1 running elsewhere" not in line
    # Meanwhile the shown one goes on, and Esc is its own.
    assert first in chat._live
    await go(program, pilot, "alt+g", second)
    assert chat.status.state.failed == 0
    assert "The server failed" in shown(program)
    await pilot.press("escape")
    await settled(pilot)
    assert first in chat._live
    await go(program, pilot, "ctrl+pagedown", first)
    await pilot.press("escape")
    await until(pilot, lambda: not chat.answers_arriving)
    assert only_turn(program, first).outcome is Outcome.CANCELLED
    assert only_turn(program, second).outcome is Outcome.FAILED


async def test_drafts_files_and_queues_belong_to_their_conversation(
    app: tuple[OutcropApp, Pilot[Any]], slow: SandboxServer
) -> None:
    program, pilot = app
    chat = program.chat
    slow.fault(A_WHILE)
    first = await begin(program, pilot, f"Reply with exactly: {WORDS_A}")
    chat.composer.text = "Reply with exactly: queued one"
    await pilot.press("enter")
    await typed(pilot, "not yet")
    second = await another(program, pilot)
    assert chat.composer.text == ""
    assert chat.queue_line.has_class("-any") is False
    await typed(pilot, "blank")
    # What was queued is sent there when its turn comes, although nobody looks.
    await until(pilot, lambda: len(program.session.conversation(first).turns) == 2)
    await until(pilot, lambda: not chat.answers_arriving)
    assert [turn.text for turn in program.session.conversation(first).path()] == [WORDS_A, "queued one"]
    assert not program.session.conversation(second).turns
    assert chat.status.state.ready == 1
    await go(program, pilot, "ctrl+pageup", first)
    assert chat.composer.text == "not yet"
    draft = await program.session.load_draft(first)
    assert draft.text == "not yet"
    # A conversation without a turn is begun once.
    await pilot.press("ctrl+n")
    await until(pilot, lambda: chat.conversation_id == second)
    assert chat.composer.text == "blank"
    await pilot.press("ctrl+n")
    await settled(pilot)
    assert chat.conversation_id == second


async def test_the_list_of_open_conversations_tells_how_each_stands(
    app: tuple[OutcropApp, Pilot[Any]], slow: SandboxServer
) -> None:
    program, pilot = app
    chat = program.chat
    slow.fault({**A_WHILE, "stall_seconds": 5.0})
    first = await begin(program, pilot, f"Reply with exactly: {WORDS_A}")
    second = await another(program, pilot)
    await begin(program, pilot, "Reply with exactly: short beta")
    await until(pilot, lambda: second not in chat._live)
    third = await another(program, pilot)
    await typed(pilot, "half a thought")
    slow.fault({"stall_events": 5})
    await go(program, pilot, "ctrl+pageup", second)
    chat.composer.text = "Reply with exactly: and more beta"
    await pilot.press("enter")
    await until(pilot, lambda: second in chat._live)
    await go(program, pilot, "ctrl+pagedown", third)
    await pilot.press("alt+o")
    await until(pilot, lambda: isinstance(program.screen, OpenConversationsScreen))
    await pilot.pause()
    states = {one.id: one.state for one in chat.open_conversations()}
    assert states[third] == "draft"
    assert states[second] == "streaming"

    def told(beginning: str, *states: str) -> bool:
        lines = text_of(program).splitlines()
        return any(beginning in line and any(state in line for state in states) for line in lines)

    await until(pilot, lambda: told("exactly: a", "streaming", "unread"))
    await until(pilot, lambda: told("exactly: s", "streaming"))
    await until(pilot, lambda: first not in chat._live)
    await until(pilot, lambda: "✓ ended, unread" in text_of(program))
    # What runs cannot be closed, and the shown one neither; what has ended can.
    await pilot.press("home", "down", "x")
    await until(pilot, lambda: "running or waiting there" in text_of(program))
    # The clock of what runs goes on; the sentence stays until the cursor moves.
    clock = next(line for line in text_of(program).splitlines() if "exactly: s" in line)
    await until(pilot, lambda: clock not in text_of(program))
    assert "running or waiting there" in text_of(program)
    await pilot.press("end", "x")
    await until(pilot, lambda: "This conversation is shown" in text_of(program))
    await pilot.press("u", "enter")
    await until(pilot, lambda: chat.conversation_id == first)
    await settled(pilot)
    assert chat.status.state.ready == 0
    await go(program, pilot, "ctrl+pagedown", second)
    await pilot.press("escape")
    await until(pilot, lambda: not chat.answers_arriving)


async def test_titles_are_made_changed_and_made_again(
    app: tuple[OutcropApp, Pilot[Any]], slow: SandboxServer
) -> None:
    program, pilot = app
    chat = program.chat
    conversation_id = await begin(program, pilot, "Reply with exactly: basalt")
    assert program.session.conversation(conversation_id).title == "Reply with exactly: basalt"
    await typed(pilot, "/rename")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(program.screen, RenameScreen))
    await pilot.press("ctrl+u", *"dark", "enter")
    await until(pilot, lambda: program.session.conversation(conversation_id).title == "dark")
    (line,) = await program.session.list()
    assert line.title == "dark"
    await program.session.rename(conversation_id, "a\x1b]0;evil\x07\nb")
    assert "\x1b" not in program.session.conversation(conversation_id).title
    await program.session.rename(conversation_id, "  ")
    assert program.session.conversation(conversation_id).title == "Reply with exactly: basalt"
    await until(pilot, lambda: not chat.answers_arriving)


async def test_deleting_the_shown_conversation_leaves_a_new_one_and_a_running_one_stays(
    app: tuple[OutcropApp, Pilot[Any]], slow: SandboxServer
) -> None:
    program, pilot = app
    chat = program.chat
    slow.fault(STALLED)
    conversation_id = await begin(program, pilot, f"Reply with exactly: {WORDS_A}")

    async def ask_to_delete() -> str:
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(program.screen, HistoryScreen) and "alpha0" in text_of(program))
        await pilot.pause()
        await pilot.press("ctrl+d")
        await until(pilot, lambda: isinstance(program.screen, ConfirmScreen))
        await pilot.pause()
        return str(program.screen.query(Static).first().content)

    await ask_to_delete()
    await pilot.press("y")
    await until(pilot, lambda: "still arriving" in text_of(program))
    await pilot.press("escape", "escape")
    await until(pilot, lambda: not chat.answers_arriving)
    question = await ask_to_delete()
    assert "It cannot be undone." in question
    assert "The stored response of it stays at the server until deleted there." in question
    await pilot.press("y")
    await until(pilot, lambda: chat.conversation_id not in ("", conversation_id))
    await pilot.press("escape")
    await settled(pilot)
    assert shown(program) == ""
    assert await program.session.list() == []
    await begin(program, pilot, "Reply with exactly: on we go")
    await until(pilot, lambda: not chat.answers_arriving)
    assert "assistant||on we go" in shown(program)


async def test_quitting_with_several_running_asks_once_and_keeps_all(
    app: tuple[OutcropApp, Pilot[Any]], slow: SandboxServer
) -> None:
    program, pilot = app
    chat = program.chat
    slow.fault(STALLED)
    slow.fault(STALLED)
    first = await begin(program, pilot, f"Reply with exactly: {WORDS_A}")
    chat.composer.text = "queued and kept"
    await pilot.press("enter")
    second = await another(program, pilot)
    await begin(program, pilot, f"Reply with exactly: {WORDS_B}")
    await typed(pilot, "a draft")
    await pilot.press("ctrl+q")
    await settled(pilot)
    assert any("2 answers are still arriving" in note.message for note in program._notifications)
    assert chat.answers_arriving == 2
    await pilot.press("ctrl+q")
    await until(pilot, lambda: program._exit)
    history = History(program.session.settings.data_dir / "history.db")
    try:
        for conversation_id, beginning in ((first, "alpha0"), (second, "beta0")):
            (turn,) = history.load(conversation_id).turns.values()
            assert turn.outcome is Outcome.CANCELLED
            assert turn.text.startswith(beginning)
        assert history.load_draft(first).text == "queued and kept"
        assert history.load_draft(second).text == "a draft"
    finally:
        history.close()
