"""The screens' base: Textual's, but what opening one takes is done in pieces.

Textual's message pump goes on to the next message without a pause while there is one, and a screen that
opens has several: styles for every widget, a layout, its size, a layout once more, and a picture after each.
Together they hold the event loop for several frames. So between two messages others have their turn; the
styles are applied to a few widgets at a time; and there is one picture, when all is in its place.

This stands on private parts of Textual: `_get_message`, `_compositor_refresh` and
`_on_timer_update`.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from textual import screen

if TYPE_CHECKING:
    from textual.events import ScreenResume
    from textual.message import Message

__all__ = ["ModalScreen", "Screen"]

_AT_ONCE = 0.008
"""Seconds after which others have their turn."""


class _InPieces:
    """What both kinds of screens do otherwise; stands before Textual's class."""

    _opens = False
    _paints_later = False
    _restyling: bool | None = None

    async def _get_message(self) -> Message:
        await asyncio.sleep(0)
        return await cast("Any", super())._get_message()

    async def on_screen_resume(self, event: ScreenResume) -> None:
        """Before Textual's own: apply the styles, and have it paint with the next frame.

        The first screen of all is painted at once.
        """
        this = cast("Any", self)
        if len(this.app.screen_stack) < 2 or not this.is_attached:
            return
        if event.refresh_styles:
            event.refresh_styles = False
            self._opens = True
            try:
                await self._update_styles(animate=False)
            finally:
                self._opens = False
        self._paints_later = True

    def update_node_styles(self, animate: bool = True) -> None:
        """Apply the styles, after this message where the screen stands over another one."""
        this = cast("Any", self)
        if len(this.app.screen_stack) < 2 or not this.is_attached or not this.is_running:
            cast("Any", super()).update_node_styles(animate)
        elif self._restyling is None:
            self._restyling = animate
            this.call_next(self._restyle)

    async def _restyle(self) -> None:
        animate, self._restyling = bool(self._restyling), None
        await self._update_styles(animate=animate)

    async def _update_styles(self, *, animate: bool) -> None:
        this = cast("Any", self)
        began = perf_counter()
        for node in list(this.walk_children(with_self=True)):
            if node.is_attached:
                this.app.stylesheet.update_nodes([node], animate=animate)
            if perf_counter() - began > _AT_ONCE:
                await asyncio.sleep(0)
                began = perf_counter()

    def _compositor_refresh(self) -> None:
        if not self._paints_later:
            cast("Any", super())._compositor_refresh()

    def _on_timer_update(self) -> None:
        if not self._opens:
            self._paints_later = False
            cast("Any", super())._on_timer_update()


class Screen(_InPieces, screen.Screen[screen.ScreenResultType]):
    """A screen that fills the terminal."""


class ModalScreen(_InPieces, screen.ModalScreen[screen.ScreenResultType]):
    """A screen that stands over another one."""
