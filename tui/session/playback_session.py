"""The session that plays a cassette; see `playback.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from tui.config.settings import Settings
from tui.core.controls import Controls
from tui.core.conversation import Conversation
from tui.core.items import Item
from tui.credentials.credentials import Credentials
from tui.session.playback import Playback
from tui.session.session import Session
from tui.wire.playback import PlaybackTransport

__all__ = ["PlaybackSession"]


class PlaybackSession(Session):
    """Conversations begin as the recorded one did; answers come from the cassette.

    Attributes:
        prompts: The user's messages that were recorded, in their order.
    """

    def __init__(self, settings: Settings, credentials: Credentials, playback: Playback) -> None:
        transport = PlaybackTransport(playback.cassette.exchanges, playback.speed)
        super().__init__(settings, credentials, transport=transport)
        self._playback = playback
        self.prompts: tuple[Item, ...] = playback.cassette.prompts

    async def new(self, like: Conversation | None = None) -> Conversation:
        """Begin a conversation with what the recorded one was held with."""
        made_with = self._playback.cassette.conversation
        conversation = await super().new(like)
        controls: object = made_with.get("controls")
        conversation = replace(
            conversation,
            instructions=str(made_with.get("instructions") or ""),
            controls=Controls.from_json(
                cast("Mapping[str, Any]", controls) if isinstance(controls, Mapping) else {}
            ),
        )
        self._conversations[conversation.id] = conversation
        return conversation

    async def aclose(self) -> None:
        """Close, and forget what was played."""
        try:
            await super().aclose()
        finally:
            await self._playback.aclose()
