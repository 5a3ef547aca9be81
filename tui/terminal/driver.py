"""Textual's driver for terminals that may go away.

When a terminal is closed, the kernel sends SIGHUP and then SIGCONT. Textual 8.2.8 takes the second for a
return from Ctrl+Z and starts the application mode again on a terminal that is gone: its writing thread dies
of the first error, the event loop waits for that thread for ever, and the reading thread turns in a circle at
the end of its input, with a core to itself.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, cast

from textual.drivers.linux_driver import LinuxDriver

__all__ = ["TerminalDriver"]


class _Output:
    """A text file that takes what it can no longer write."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.gone = False

    def write(self, text: str) -> int:
        if not self.gone:
            try:
                return self._file.write(text)
            except OSError:
                self.gone = True
        return len(text)

    def flush(self) -> None:
        if not self.gone:
            try:
                self._file.flush()
            except OSError:
                self.gone = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class TerminalDriver(LinuxDriver):
    """Notices that the terminal has gone, says so once to `app.terminal_gone`, and gets out of the way."""

    _watching = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cast("Any", super()).__init__(*args, **kwargs)
        self._output = _Output(self._file)
        self._file = cast("Any", self._output)

    def start_application_mode(self) -> None:
        """Take the terminal, and watch it from then on."""
        super().start_application_mode()
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, daemon=True, name="terminal-watch").start()

    def _watch(self) -> None:
        """Wait for the hangup; a poll for nothing returns for that alone."""
        poll = select.poll()
        poll.register(self.fileno, 0)
        while not poll.poll():
            pass
        self._output.gone = True
        self.exit_event.set()
        tell: Callable[[], None] = cast("Any", self._app).terminal_gone
        with suppress(RuntimeError):
            # The loop may have ended meanwhile.
            self._loop.call_soon_threadsafe(tell)

    def _sigcont_application(self, *args: Any) -> None:
        poll = select.poll()
        poll.register(self.fileno, 0)
        if not poll.poll(0):
            cast("Any", super())._sigcont_application(*args)
