"""Sessions over real HTTP for tests: settings, a server, and what came of a turn."""

from __future__ import annotations

import os
from contextlib import aclosing
from typing import Any

from tui.config.settings import load_settings
from tui.core.events import Notice, SessionEvent, TurnEnded
from tui.core.items import Turn
from tui.credentials.credentials import Credentials
from tui.sandbox.server import SandboxServer
from tui.session.session import Session

__all__ = ["make_session", "take_turn"]


def make_session(server: SandboxServer, token: str = "sandbox", **flags: object) -> Session:
    """A session that talks to `server` as to any endpoint: with a base URL and a token of the environment."""
    settings = load_settings({"base_url": f"http://127.0.0.1:{server.port}/openai/v1", **flags}, os.environ)
    return Session(settings, Credentials({"AWS_BEARER_TOKEN_BEDROCK": token}, settings.region))


class Taken:
    """A turn that has ended."""

    def __init__(self, turn: Turn, events: list[SessionEvent]) -> None:
        self.turn = turn
        self.events = events

    @property
    def notices(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Notice)]


async def take_turn(session: Session, conversation_id: str, prompt: str, *attachments: Any) -> Taken:
    """Send a prompt and wait for the turn's end."""
    events: list[SessionEvent] = []
    async with aclosing(session.send(conversation_id, prompt, attachments)) as stream:
        async for event in stream:
            events.append(event)
    last = events[-1]
    assert isinstance(last, TurnEnded)
    return Taken(last.turn, events)
