"""Keys that come faster than what they ask for opens: each waits for what the one before it began.

Textual hands a key to whatever has the focus when it is read. A command's key goes up from there to the
application, the command may have to import and to read something before its dialog stands, and the letters
that were meant for the dialog's search would by then be in the prompt; Enter after them would send it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from textual.app import App, ScreenStackError
from textual.events import Event, Key, Paste
from textual.screen import SystemModalScreen
from textual.worker import Worker, WorkerError

from tui.screens.base import caught_up, has_read

__all__ = ["TypedAhead"]

_AT_MOST: Final = 2.0
"""Seconds that keys wait; then they go on as if nothing were on its way."""
_ROUNDS: Final = 3
"""Messages, each of which may begin what the next is about: Enter, what was submitted, what was chosen."""
_ABOUT_TEXT: Final = frozenset({"backspace", "delete", "left", "right", "home", "end", "escape"})
_MOVES: Final = frozenset({"up", "down", "pageup", "pagedown"})


class TypedAhead:
    """What was typed while a command was still on its way.

    Args:
        app: Whose keys they are.
        take: Does with a key, or a paste, what it asks for.
    """

    def __init__(self, app: App[Any], take: Callable[[Event], Awaitable[None]]) -> None:
        self._app = app
        self._take = take
        self._kept: deque[Event] = deque()
        self._begun: list[Callable[[], Awaitable[object]]] = []
        self._waiting: asyncio.Task[None] | None = None
        self._held: Event | None = None

    @property
    def waits(self) -> bool:
        """Whether something is on its way, and keys come after it."""
        return self._waiting is not None or bool(self._kept)

    async def came(self, event: Event) -> None:
        """Do what a key or a paste asks for, or keep it until that is known."""
        if self.waits:
            self._kept.append(event)
        else:
            await self._hand_on(event)

    async def let_go(self) -> None:
        """Hand on what was kept, whatever is on its way: the program is about to end."""
        while self._kept:
            await self._take(self._kept.popleft())

    async def _hand_on(self, event: Event) -> None:
        about_rows = _is_about_rows(event) and len(self._app.screen_stack) > 1
        if about_rows:
            await caught_up(self._app.screen)  # the letters before it are what is looked for
        rows = self._rows_on_their_way()
        if about_rows and rows is not None and event is not self._held:
            self._held = event
            self._kept.appendleft(event)
            self.wait_for(rows.wait)
            return
        await self._take(event)
        if not self._edits(event):
            self._wait_for_what_it_began()

    def _edits(self, event: Event) -> bool:
        """Whether an event is about a text and its cursor alone: it opens nothing, the next need not wait."""
        focused = self._app.focused
        if not isinstance(event, Key) or focused is None:
            return isinstance(event, Paste)
        if event.key in _MOVES and len(self._app.screen_stack) == 1:
            return True
        if event.key in _ABOUT_TEXT and event.key != "escape":
            return focused.check_consume_key("a", "a")
        return focused.check_consume_key(event.key, event.character)

    def _rows_on_their_way(self) -> Worker[Any] | None:
        """What looks for the rows of the dialog that is open, while it does."""
        over = self._app.screen
        if isinstance(over, SystemModalScreen):  # Textual's own: the palette
            searches = [worker for worker in self._app.workers if worker.node is over]
        else:
            searches = [worker for worker in (getattr(over, "rows_on_their_way", None),) if worker]
        return next((worker for worker in searches if not worker.is_finished), None)

    def wait_for(self, done: Callable[[], Awaitable[object]]) -> None:
        """What comes from now on comes after this, `Worker.wait` say."""
        self._begun.append(done)
        self._wait_for_what_it_began()

    def _wait_for_what_it_began(self) -> None:
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        try:
            # As the program ends, its screens go first.
            with suppress(TimeoutError, ScreenStackError):
                async with asyncio.timeout(_AT_MOST):
                    await self._until_begun_is_done()
        finally:
            self._begun.clear()
            self._waiting = None
            self._app.call_later(self._go_on)

    async def _until_begun_is_done(self) -> None:
        rounds = 0
        while rounds < _ROUNDS:
            rounds += 1
            over = self._app.screen
            # The way of a key that nobody took on it: from the focus up to the application.
            await caught_up(over)
            await has_read(self._app)
            if over is not self._app.screen or self._begun:
                rounds = 0
            while self._begun:
                with suppress(WorkerError):
                    await self._begun.pop()()

    async def _go_on(self) -> None:
        while self._kept and self._waiting is None:
            await self._hand_on(self._kept.popleft())


def _is_about_rows(event: Event) -> bool:
    """Whether an event is about the rows that are listed, and not about the text of their search."""
    return isinstance(event, Key) and not event.is_printable and event.key not in _ABOUT_TEXT
