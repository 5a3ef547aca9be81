"""What linear mode reads: standard input by lines, while an answer may be arriving."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque

__all__ = ["Lines"]

_BURST = 0.04
"""Seconds within which the lines of one paste follow each other; nobody types so fast."""


class Lines:
    """Reads lines in a thread of its own, which the exit does not wait for.

    Args:
        descriptor: Of standard input.
        pasted: Whether lines that come at once are one text (a terminal), or each its own (a pipe).
    """

    def __init__(self, descriptor: int, *, pasted: bool) -> None:
        self._descriptor = descriptor
        self._pasted = pasted
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[str] = deque()
        self._came = asyncio.Event()
        self._ended = False
        threading.Thread(target=self._read, name="plain-input", daemon=True).start()

    def _read(self) -> None:
        held = b""
        while True:
            try:
                data = os.read(self._descriptor, 65536)
            except OSError:
                data = b""
            held += data
            *lines, held = held.split(b"\n")
            if not data and held:
                lines.append(held)
            try:
                self._loop.call_soon_threadsafe(self._take, lines, not data)
            except RuntimeError:
                # The loop is closed: the program ends.
                return
            if not data:
                return

    def _take(self, lines: list[bytes], ended: bool) -> None:
        self._waiting.extend(line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines)
        self._ended = ended
        self._came.set()

    async def next(self) -> str | None:
        """The next line, or all lines of a paste as one text; `None` at the end of the input."""
        while not self._waiting:
            if self._ended:
                return None
            self._came.clear()
            await self._came.wait()
        text = self._waiting.popleft()
        while self._pasted and not text.startswith("/"):
            if not self._waiting and not self._ended:
                await asyncio.sleep(_BURST)
            if not self._waiting or self._waiting[0].startswith("/"):
                break
            text += "\n" + self._waiting.popleft()
        return text

    def left(self) -> str:
        """What was typed and not taken; it is taken with this."""
        text = "\n".join(self._waiting)
        self._waiting.clear()
        return text
