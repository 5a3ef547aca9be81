"""The full screen with a history that cannot be used: turns are taken, and it is said once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from support.sessions import make_session
from textual.pilot import Pilot
from ui_real import ready, send
from ui_stand_in import typed, until

from tui.app import OutcropApp
from tui.sandbox.server import SandboxServer
from tui.store import steady
from tui.store.history import History


def damaged_history(folder: Path) -> Path:
    """A history file that is none, where the program looks for its own."""
    path = folder / "data" / "history.db"
    path.parent.mkdir()
    path.write_bytes(b"this is no history" * 99)
    return path


@asynccontextmanager
async def running(
    server: SandboxServer, monkeypatch: pytest.MonkeyPatch, **start: Any
) -> AsyncIterator[tuple[OutcropApp, Pilot[Any], list[str]]]:
    """The app, and every sentence that it has said at the screen's edge."""
    app = OutcropApp(make_session(server), **start)
    said: list[str] = []
    notify = app.notify

    def note(message: str, **more: Any) -> None:
        said.append(message)
        notify(message, **more)

    monkeypatch.setattr(app, "notify", note)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        yield app, pilot, said
        await app.chat.shut_down()
        await app.session.aclose()


async def test_a_damaged_history_is_said_once_and_turns_are_taken_and_exported(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = damaged_history(tmp_path)
    before = path.read_bytes()
    async with running(server, monkeypatch, continue_latest=True) as (app, pilot, said):
        first = await send(app, pilot, "Reply with exactly: one")
        assert first.text == "one"
        await typed(pilot, "not sent yet")
        await pilot.press("ctrl+r")  # the list of earlier conversations has this run's
        await until(pilot, lambda: app.screen is not app.chat)
        await pilot.press("escape")
        await pilot.press("ctrl+c")
        second = await send(app, pilot, "Reply with exactly: two")
        conversation = app.session.conversation(app.chat.conversation_id)
        assert [turn.text for turn in conversation.path()] == ["one", "two"]
        made = app.session.leave(conversation, "json")
        assert b"Reply with exactly: one" in made.data and second.text.encode() in made.data
        json.loads(made.data)
        about = [sentence for sentence in said if "damaged" in sentence]
        assert len(about) == 1, said
        assert "not saved" in str(app.chat.status.render())
        assert sum("goes on in memory" in sentence for sentence in said) == 1, said
    assert path.read_bytes() == before


async def test_who_quits_is_asked_once_more_where_what_was_said_would_be_lost(
    server: SandboxServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damaged_history(tmp_path)
    async with running(server, monkeypatch) as (app, pilot, said):
        await pilot.press("ctrl+c")
        assert said[-1].startswith("Press Ctrl+C again")
        await send(app, pilot, "Reply with exactly: one")
        await pilot.press("ctrl+q")
        assert "not saved" in said[-1] and "/export" in said[-1] and "Ctrl+Q again" in said[-1]
        await pilot.press("escape", "ctrl+c")
        assert app.is_running and "not saved" in said[-1]
        await pilot.press("escape", "ctrl+q", "ctrl+q")
        await until(pilot, lambda: not app.is_running)
    assert "is lost: the history could not be written" in capsys.readouterr().err and app.return_code == 0


async def test_nobody_is_asked_where_closing_can_write_it(
    server: SandboxServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = damaged_history(tmp_path)
    async with running(server, monkeypatch) as (app, pilot, _):
        assert app.session.records.in_memory and not app.chat.unsaved
        await send(app, pilot, "Reply with exactly: one")
        assert app.chat.unsaved
        path.rename(path.with_name("old.db"))
        app.leave_now()
        await until(pilot, lambda: not app.is_running)
    assert capsys.readouterr().err == ""
    history = History(path)
    assert [turn.text for row in history.list() for turn in history.load(row.id).path()] == ["one"]
    history.close()


async def test_what_was_said_under_a_lock_is_written_when_it_is_gone(
    server: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steady, "_LONG_WAIT", 0.1)
    monkeypatch.setattr(steady, "_SHORT_WAIT", 0.02)
    monkeypatch.setattr(steady, "_BETWEEN_TRIES", 0.2)
    path = tmp_path / "data" / "history.db"
    History(path).close()
    async with running(server, monkeypatch) as (app, pilot, said):
        await send(app, pilot, "Reply with exactly: before")
        with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as third:
            third.execute("BEGIN IMMEDIATE")
            await send(app, pilot, "Reply with exactly: during")
            await send(app, pilot, "Reply with exactly: still")
            assert sum("Another program holds the history" in sentence for sentence in said) == 1
            third.execute("ROLLBACK")
        await until(pilot, lambda: any("can be written again" in sentence for sentence in said))
        await send(app, pilot, "Reply with exactly: after")
        assert len([sentence for sentence in said if "history" in sentence]) == 2, said
        assert "not saved" not in str(app.chat.status.render())
    history = History(path)
    (row,) = history.list()
    kept = history.load(row.id)
    assert [turn.text for turn in kept.path()] == ["before", "during", "still", "after"]
    assert len(history.load_exchanges(row.id)) == 4
    history.close()
