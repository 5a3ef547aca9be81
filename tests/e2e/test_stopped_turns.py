"""Who goes away at any moment of a turn leaves it ended, on disk and in memory, as what it was by then."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from support.sessions import make_session

from tui.core.events import TurnEnded, TurnStarted
from tui.core.items import Outcome, Turn
from tui.sandbox.server import SandboxServer
from tui.session.session import Session
from tui.store.history import History

PROMPT = "Reply with exactly: on we go"


async def kept(session: Session, conversation_id: str, tmp_path: Path) -> Turn:
    """The turn as it is in memory, and as another program finds it in the file."""
    await session.records.call(History.latest, False)  # what was asked for before has been written
    (turn,) = session.conversation(conversation_id).turns.values()
    history = History(tmp_path / "data" / "history.db")
    try:
        (stored,) = history.load(conversation_id).turns.values()
    finally:
        history.close()
    assert stored == turn
    assert not session.is_running(conversation_id)
    return turn


async def test_who_goes_away_before_the_request_leaves_no_turn_running(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    session = make_session(sandbox)
    conversation = await session.new()
    for background in (False, True):
        async with aclosing(session.send(conversation.id, PROMPT, background=background)) as events:
            async for event in events:
                assert isinstance(event, TurnStarted)
                break
        turn = await kept(session, conversation.id, tmp_path)
        assert (turn.outcome, turn.error) == (Outcome.CANCELLED, "You stopped this answer.")
        assert not len(sandbox.log)
        await session.delete_branch(conversation.id, turn.id)
    await session.aclose()


async def test_who_is_cancelled_while_the_prompt_goes_to_disk_loses_nothing(
    sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(sandbox)
    await session.warm_up()
    conversation = await session.new()
    call = session.records.call

    async def send() -> None:
        async with aclosing(session.send(conversation.id, PROMPT)) as events:
            async for _ in events:
                pass

    async def called(method: Any, *arguments: Any) -> Any:
        if method is History.begin_turn:
            task.cancel()
        return await call(method, *arguments)

    monkeypatch.setattr(session.records, "call", called)
    task = asyncio.create_task(send())
    await asyncio.wait([task])
    assert task.cancelled()
    turn = await kept(session, conversation.id, tmp_path)
    assert (turn.prompt, turn.outcome) == (PROMPT, Outcome.CANCELLED)
    assert not len(sandbox.log)
    await session.aclose()


async def test_a_failure_stays_one_when_its_reader_goes_away_with_the_last_event(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    session = make_session(sandbox)
    conversation = await session.new()
    sandbox.fault({"status": 403, "body": {"Message": "not you"}})
    async with aclosing(session.send(conversation.id, PROMPT)) as events:
        async for event in events:
            if isinstance(event, TurnEnded):
                break
    turn = await kept(session, conversation.id, tmp_path)
    assert turn.outcome is Outcome.FAILED and "not you" in (turn.error or "")
    await session.aclose()
