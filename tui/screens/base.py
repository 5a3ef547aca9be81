"""The screens' base: Textual's, but one message at a time.

Textual's message pump goes on to the next message without a pause while there is one, and a screen that
opens has three or four: styles, layout, picture, its size. Together they would hold the event loop for
longer than a frame; so between two messages others have their turn.

It stands on a private part of Textual: `_get_message`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import screen

if TYPE_CHECKING:
    from textual.message import Message

__all__ = ["ModalScreen", "Screen"]


class Screen(screen.Screen[screen.ScreenResultType]):
    """A screen that fills the terminal."""

    async def _get_message(self) -> Message:
        await asyncio.sleep(0)
        return await super()._get_message()


class ModalScreen(screen.ModalScreen[screen.ScreenResultType]):
    """A screen that stands over another one."""

    async def _get_message(self) -> Message:
        await asyncio.sleep(0)
        return await super()._get_message()
