"""The screens' base: Textual's, but what opening one takes is done in pieces.

Textual's message pump goes on to the next message without a pause while there is one, and a screen that
opens has several: styles for every widget, a layout, its size, a layout once more, and a picture after each.
Together they hold the event loop for several frames. So between two messages others have their turn; the
styles are applied to a few widgets at a time; and there is one picture, when all is in its place, painted in
a few bands.

As a screen takes longer for what it was sent, keys wait for it (`caught_up`), and its work may end after it.

This stands on private parts of Textual: `_get_message`, `_compositor_refresh` and
`_on_timer_update`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from textual import screen
from textual.css.query import NoMatches
from textual.geometry import Region

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.events import ScreenResume
    from textual.message import Message
    from textual.message_pump import MessagePump
    from textual.worker import Worker

__all__ = ["ModalScreen", "Screen", "caught_up", "has_read"]

_AT_ONCE = 0.008
"""Seconds after which others have their turn."""
_BAND = 16
"""Rows of the screen that are painted at once."""
_CELLS = 2600
"""Cells that are painted at once: 20 ms."""
_CATCHES_UP = 1.0
"""Seconds that a key waits at most."""


async def has_read(node: MessagePump) -> None:
    """Wait until a node has handled what it was sent so far; one that is closing reads nothing more."""
    read = asyncio.Event()
    if node.call_later(read.set):
        await read.wait()


async def caught_up(over: screen.Screen[Any]) -> None:
    """Wait until a screen is composed and has taken what its focused widget told it, for a second at most.

    Textual's application does a key's priority binding itself, ahead of what the screen has still to read:
    the key would be about the text before the last letter, or about widgets that are not there yet.

    Args:
        over: The screen that gets the key.
    """
    nodes = over.focused.ancestors_with_self if over.focused is not None else [over]
    with suppress(TimeoutError):
        async with asyncio.timeout(_CATCHES_UP):
            # From the widget upwards, as its messages go.
            for node in nodes:
                await has_read(node)
                if node is over:
                    break


async def _while_open(over: _InPieces, work: Callable[[], Awaitable[Any]]) -> Any:
    """Do a screen's work; where the screen is closed meanwhile, widgets that it misses are no error."""
    this = cast("Any", over)
    try:
        return await work()
    except NoMatches:
        if this.is_attached and this in this.app.screen_stack:
            raise
        return None


class _InPieces:
    """What both kinds of screens do otherwise; stands before Textual's class.

    Attributes:
        rows_on_their_way: What looks for the rows that are wanted by now; keys that are about rows wait.
    """

    rows_on_their_way: Worker[Any] | None = None
    _opens = False
    _paints_later = False
    _in_update = False
    _to_paint = False
    _restyling: bool | None = None

    def __init__(self, *args: Any, **more: Any) -> None:
        cast("Any", super()).__init__(*args, **more)
        self._waiting: list[Region] = []  # to be painted

    async def _get_message(self) -> Message:
        await asyncio.sleep(0)
        return await cast("Any", super())._get_message()

    def run_worker(self, work: Callable[[], Awaitable[Any]], *args: Any, **more: Any) -> Worker[Any]:
        """Textual's own, for work that may outlast the screen; it is a callable.

        What is replaced or left before it began would leave a coroutine behind that nobody awaits.
        """
        if not more.get("thread"):
            work = partial(_while_open, self, work)
        return cast("Any", super()).run_worker(work, *args, **more)

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
        if self._in_update:
            self._to_paint = True
        elif not self._paints_later:
            cast("Any", super())._compositor_refresh()

    def _on_timer_update(self) -> None:
        """Lay out, and paint what that moved in a callback of its own, once; Textual paints up to twice."""
        this = cast("Any", self)
        if self._opens:
            return
        self._paints_later = False
        if len(this.app.screen_stack) < 2:
            cast("Any", super())._on_timer_update()
            return
        lays_out = this._layout_required
        self._in_update = True
        try:
            cast("Any", super())._on_timer_update()
        finally:
            self._in_update = False
        if self._to_paint and lays_out:
            asyncio.get_running_loop().call_soon(self._paint)
        elif self._to_paint:
            self._paint()

    def _paint(self) -> None:
        this = cast("Any", self)
        self._to_paint = False
        if not (this.is_current and this.is_running):
            return
        dirty, whole = this._compositor._dirty_regions, this.size.region
        if whole in dirty:
            self._waiting = [
                Region(0, y, whole.width, min(_BAND, whole.height - y)) for y in range(0, whole.height, _BAND)
            ]
        else:
            self._waiting += sorted(dirty.difference(self._waiting), key=lambda region: region.y)
        dirty.clear()
        cells = 0
        while self._waiting and (not cells or cells + self._waiting[0].area <= _CELLS):
            cells += self._waiting[0].area
            dirty.add(self._waiting.pop(0))
        with this._context():
            self._compositor_refresh()
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._paint)


class Screen(_InPieces, screen.Screen[screen.ScreenResultType]):
    """A screen that fills the terminal."""


class ModalScreen(_InPieces, screen.ModalScreen[screen.ScreenResultType]):
    """A screen that stands over another one."""
