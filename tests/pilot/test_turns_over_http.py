"""The chat screen with the real session and real HTTP: a reply, a cancellation, an error in the middle."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.sessions import make_session
from textual.pilot import Pilot
from ui_real import ready, send
from ui_stand_in import shown, typed, until

from tui.app import OutcropApp
from tui.core.items import Outcome
from tui.sandbox.server import SandboxServer
from tui.store.history import History


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SandboxServer]:
    with SandboxServer(tmp_path / "slow", rate=40, tokenizer="words") as server:
        yield server


@pytest.fixture
async def app(slow: SandboxServer) -> AsyncIterator[tuple[OutcropApp, Pilot[Any]]]:
    made = OutcropApp(make_session(slow))
    async with made.run_test(size=(80, 24)) as pilot:
        await ready(made, pilot)
        yield made, pilot
        await made.chat.shut_down()
        await made.session.aclose()


def answer(program: OutcropApp) -> str:
    return shown(program).rpartition("assistant|")[2]


async def test_a_reply_is_streamed_onto_the_screen(
    app: tuple[OutcropApp, Pilot[Any]], slow: SandboxServer
) -> None:
    program, pilot = app
    slow.fault({"stall_events": 8})
    await typed(pilot, "Reply with exactly: one two three four five six seven eight nine ten")
    await pilot.press("enter")
    # The server waits in the middle of the answer: what it has sent is on the screen already.
    await until(pilot, lambda: "one two" in answer(program))
    assert "nine ten" not in answer(program)
    await pilot.press("escape")
    await until(pilot, lambda: not program.chat.answers_arriving)
    await send(program, pilot, "Reply with exactly: eleven twelve")
    assert "eleven twelve" in answer(program)


async def test_what_is_no_region_is_refused_and_the_conversation_goes_on(
    app: tuple[OutcropApp, Pilot[Any]],
) -> None:
    program, pilot = app
    before = program.session.target(program.chat.conversation_id)
    await typed(pilot, "/region no region")
    await pilot.press("enter")
    await until(
        pilot, lambda: any("is not the name of a region" in n.message for n in program._notifications)
    )
    await typed(pilot, "/eff")  # completions look at the target
    assert program.is_running
    assert program.session.target(program.chat.conversation_id) == before


async def test_escape_closes_the_connection_and_keeps_what_came(
    app: tuple[OutcropApp, Pilot[Any]], slow: SandboxServer
) -> None:
    program, pilot = app
    await typed(pilot, "Write 400 words")
    await pilot.press("enter")
    session, conversation_id = program.session, program.chat.conversation_id
    await until(pilot, lambda: bool(slow.log) and slow.log[-1].events > 12)
    await pilot.press("escape")
    await until(pilot, lambda: slow.log[-1].ended == "disconnected")
    await until(pilot, lambda: not program.chat.answers_arriving)
    conversation = session.conversation(conversation_id)
    assert conversation.tip is not None
    turn = conversation.turns[conversation.tip]
    assert turn.outcome is Outcome.CANCELLED
    assert turn.partial_text
    kept = await session.records.call(History.load, conversation_id)
    assert kept.turns[turn.id].partial_text == turn.partial_text
    assert "stopped" in shown(program)


async def test_an_error_in_the_middle_keeps_the_text_and_says_what_the_server_said(
    app: tuple[OutcropApp, Pilot[Any]], slow: SandboxServer
) -> None:
    program, pilot = app
    slow.fault({"failed_deltas": 4})
    turn = await send(program, pilot, "Reply with exactly: alpha beta gamma delta epsilon zeta")
    assert turn.outcome is Outcome.FAILED
    assert turn.text
    assert "alpha" in shown(program)
    assert "The server failed" in shown(program)
    after = await send(program, pilot, "Reply with exactly: and on")
    assert after.outcome is Outcome.COMPLETED
    assert "and on" in shown(program)
