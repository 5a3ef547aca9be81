"""Textual's driver for terminals that may go away, and for what they may send.

When a terminal is closed, the kernel sends SIGHUP and then SIGCONT. Textual 8.2.8 takes the second for a
return from Ctrl+Z and starts the application mode again on a terminal that is gone: its writing thread dies
of the first error, the event loop waits for that thread for ever, and the reading thread turns in a circle at
the end of its input, with a core to itself.

Its reading thread ends at the first byte that is no UTF-8 (a mouse report of the old form has some), and at
a key report that names no character, and prints a traceback with the value of every variable. Here such
input is passed over. What is pasted is taken as text before anything is read as keys, see `pastes.py`.
"""

from __future__ import annotations

import codecs
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, Any, Final, cast

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.message import Message

from tui.terminal.pastes import Keys, Pasted, Pastes

__all__ = ["KeyReader", "TerminalDriver"]

_READ: Final = 1 << 16
_POLL: Final = 0.1
"""Seconds after which the reading thread looks whether it is to end, and whether Escape was pressed alone."""
_WIDEST: Final = 4000
"""Columns or rows above which a report of the terminal's size is none: every cell of it would be drawn."""


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


class Key(events.Key):
    """A key that does not say which letter it is where events are logged: it may be one of the token's."""

    def __rich_repr__(self) -> Iterator[tuple[str, str]]:
        """Names only a key that types nothing."""
        yield "key", "…" if self.is_printable else self.key


class Paste(events.Paste):
    """A paste that does not show its text where events are logged."""

    def __rich_repr__(self) -> Iterator[tuple[str, int]]:
        """How long it is."""
        yield "characters", len(self.text)


class KeyReader:
    """Reads keys, mouse and reports with Textual's parser, and passes over what that cannot take.

    Args:
        debug: Whether the parser writes down what it reads.
    """

    def __init__(self, debug: bool = False) -> None:
        self._debug = debug
        self._parser = XTermParser(debug)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def feed(self, data: bytes) -> Iterator[Message]:
        """What these bytes stand for, as far as it is certain."""
        # One by one: after an error the parser is of no use any more, and the next key must not suffer.
        for character in self._decode(data):
            yield from self._taken(character)

    def tick(self) -> Iterator[Message]:
        """What has become certain as nothing more came, e.g. that Escape was pressed."""
        yield from self._taken(None)

    def _taken(self, character: str | None) -> Iterator[Message]:
        try:
            for message in self._parser.tick() if character is None else self._parser.feed(character):
                if type(message) is events.Key:
                    yield Key(message.key, message.character)
                else:
                    yield message
        except Exception:  # whatever a number that names no character, or a size, can raise
            before, self._parser = self._parser, XTermParser(self._debug)
            for name in ("mouse_pixels", "terminal_size", "terminal_pixel_size"):
                setattr(self._parser, name, getattr(before, name))


class TerminalDriver(LinuxDriver):
    """Notices that the terminal has gone, says so once to `app.terminal_gone`, and gets out of the way."""

    _watching = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cast("Any", super()).__init__(*args, **kwargs)
        if sys.__stderr__ is None or not sys.__stderr__.isatty():
            # Textual draws on stderr, and that may be a file, as with `2>log`.
            self._file = cast("Any", sys.__stdout__)
        self._output = _Output(self._file)
        self._file = cast("Any", self._output)

    def start_application_mode(self) -> None:
        """Take the terminal, and watch it from then on."""
        super().start_application_mode()
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, daemon=True, name="terminal-watch").start()

    def _run_input_thread(self) -> None:
        """Read what the terminal sends; an end that nobody asked for is the program's."""
        try:
            self.run_input_thread()
        except OSError:
            # The terminal has gone, or does not let us read: without keys there is nothing to go on for.
            if not self.exit_event.is_set():
                self._tell_gone()
        except Exception as error:  # The thread's edge: Textual prints a traceback with every variable.
            failed: Callable[[Exception], None] = cast("Any", self._app)._handle_exception
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(failed, error)

    def run_input_thread(self) -> None:
        """Read, take pastes apart from keys, and hand both to the app until it ends."""
        pastes, keys = Pastes(), KeyReader(self._debug)
        while not self.exit_event.is_set():
            wait = _POLL if pastes.due is None else min(_POLL, pastes.due - time.monotonic())
            came = b""
            if select.select([self.fileno], [], [], max(0.0, wait))[0]:
                came = os.read(self.fileno, _READ)
                if not came:
                    # The end of it: as Textual does, the app is left to end by itself.
                    self.exit_event.wait(_POLL)
            now = time.monotonic()
            for part in pastes.feed(came, now) if came else pastes.tick(now):
                for message in self._messages(part, keys):
                    self.process_message(message)
            for message in keys.tick():
                self.process_message(message)

    def _messages(self, part: Keys | Pasted, keys: KeyReader) -> Iterable[Message]:
        if isinstance(part, Keys):
            # Not on the first picture.
            from tui.core.keys_first import key_came

            key_came()
            return keys.feed(part.data)
        # Textual takes NUL out, too.
        return [Paste(part.data.decode("utf-8", "replace").replace("\0", ""))]

    def process_message(self, message: Message) -> None:
        """Pass a message on, unless it gives the terminal a size that none has."""
        if isinstance(message, Resize) and not 0 < max(message.size) <= _WIDEST:
            return
        with suppress(RuntimeError):
            # The loop may have ended meanwhile.
            super().process_message(message)

    def _watch(self) -> None:
        """Wait for the hangup; a poll for nothing returns for that alone."""
        poll = select.poll()
        poll.register(self.fileno, 0)
        while not poll.poll():
            pass
        self._output.gone = True
        self.exit_event.set()
        self._tell_gone()

    def _tell_gone(self) -> None:
        tell: Callable[[], None] = cast("Any", self._app).terminal_gone
        with suppress(RuntimeError):
            # The loop may have ended meanwhile.
            self._loop.call_soon_threadsafe(tell)

    def _sigcont_application(self, *args: Any) -> None:
        poll = select.poll()
        poll.register(self.fileno, 0)
        if not poll.poll(0):
            cast("Any", super())._sigcont_application(*args)
