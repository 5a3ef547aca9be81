"""Driving the app with the real session, for tests of the interface that are about the server too."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot
from ui_stand_in import typed, until

from tui.app import OutcropApp
from tui.core.items import Turn

__all__ = ["ready", "send"]


async def ready(app: OutcropApp, pilot: Pilot[Any]) -> str:
    """Wait for the first conversation; its id."""
    await until(pilot, lambda: bool(app.chat.conversation_id) and app.chat._ready.is_set())
    return app.chat.conversation_id


async def send(app: OutcropApp, pilot: Pilot[Any], text: str) -> Turn:
    """Type a prompt, send it, wait for the turn's end."""
    chat = app.chat
    conversation_id = chat.conversation_id
    before = len(chat.session.conversation(conversation_id).turns)
    await typed(pilot, text)
    await pilot.press("enter")
    await until(pilot, lambda: len(chat.session.conversation(conversation_id).turns) > before)
    await until(pilot, lambda: not chat.answers_arriving)
    await chat.pane.drained()
    return list(chat.session.conversation(conversation_id).turns.values())[-1]
