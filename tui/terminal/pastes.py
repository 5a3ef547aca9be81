"""Tells what was pasted from what was typed, in the bytes that a terminal sends.

A terminal puts marks around a paste (xterm's ctlseqs, "Bracketed Paste Mode"). Textual's parser reads what
lies between them as it reads keys: an escape sequence in a pasted text is acted on. Here it is text, all of
it. Not every terminal takes the end mark out of a text that holds one, so that such a paste ends early and
its rest would press keys; what comes on the heels of an end mark is a paste too if another end mark follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Keys", "Pasted", "Pastes"]

_START: Final = b"\x1b[200~"
_END: Final = b"\x1b[201~"
# A mark, or a mouse report of the old form, may be cut between two reads.
_CUT: Final = re.compile(rb"\x1b\[(?:2(?:0(?:0)?)?|M[\x20-\xff]{0,2})?\Z")
# What terminals send that do not know the newer mouse reports; it is no UTF-8, and nobody reads it.
_OLD_MOUSE: Final = re.compile(rb"\x1b\[M[\x20-\xff]{3}")

_REST_COMES: Final = 0.02
"""Seconds in which the rest of a sequence comes that was cut between two reads."""
_QUIET: Final = 0.03
"""Seconds of silence after an end mark that make it the end; nobody presses a key as quickly as that."""
_LONGEST: Final = 0.2
"""Seconds to wait for that silence."""
_LARGE_READ: Final = 1024


@dataclass(frozen=True, slots=True)
class Keys:
    """What was typed, and what else a terminal reports."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pasted:
    """What was pasted, without the marks around it."""

    data: bytes


class Pastes:
    """Takes bytes as they are read, gives keys and pastes in their order.

    Attributes:
        due: At which time to call `tick`, by the clock that `feed` is given; `None` for never.
    """

    def __init__(self) -> None:
        self.due: float | None = None
        self._held = bytearray()
        self._pasting = False
        # Where in `_held` the paste ends, by the last end mark so far; -1 while there is none.
        self._end = -1
        # Up to where there is no other one, and the time after which none is waited for.
        self._looked = 0
        self._latest = 0.0

    def feed(self, data: bytes, now: float) -> list[Keys | Pasted]:
        """Take what was read.

        Args:
            data: At least one byte.
            now: A clock that never goes back, seconds.

        Returns:
            What is certain by now.
        """
        self._held += data
        return self._go_on(now, whole_read=len(data) < _LARGE_READ)

    def tick(self, now: float) -> list[Keys | Pasted]:
        """Say that the time has come to `due`; gives what nothing more is expected of."""
        if self.due is None or now < self.due:
            return []
        return self._go_on(now, over=True)

    def _go_on(self, now: float, *, over: bool = False, whole_read: bool = True) -> list[Keys | Pasted]:
        found: list[Keys | Pasted] = []
        self.due = None
        while True:
            if not self._pasting:
                start = self._held.find(_START)
                if start < 0:
                    found += self._typed(now, over, whole_read)
                    return found
                found += _keys(bytes(self._held[:start]))
                del self._held[: start + len(_START)]
                self._pasting, self._end, self._looked = True, -1, 0
            if not self._ended(now, over):
                return found
            found.append(Pasted(bytes(self._held[: self._end])))
            del self._held[: self._end + len(_END)]
            self._pasting = False

    def _typed(self, now: float, over: bool, whole_read: bool) -> list[Keys | Pasted]:
        """The keys in what is held; a sequence that may have been cut waits."""
        cut = None if over else _CUT.search(self._held)
        at = len(self._held) if cut is None else cut.start()
        if not over and cut is None and not whole_read and self._held.endswith(b"\x1b"):
            at -= 1
        data = bytes(self._held[:at])
        del self._held[:at]
        if self._held:
            self.due = now + _REST_COMES
        return _keys(data)

    def _ended(self, now: float, over: bool) -> bool:
        """Whether the paste has ended; `_end` is where."""
        held = self._held
        while (at := held.find(_END, self._looked)) >= 0:
            if self._end >= 0 and held.startswith(_START, self._end + len(_END)):
                # One paste right after another.
                return True
            self._end, self._looked, self._latest = at, at + len(_END), now + _LONGEST
        self._looked = max(self._looked, len(held) - len(_END) + 1)
        if self._end < 0:
            return False
        after = self._end + len(_END)
        if held.startswith(_START, after):
            return True
        if held.find(_START, after) >= 0:
            # Something, and then a paste that has not ended yet.
            return False
        if over or now >= self._latest:
            return True
        self.due = min(now + _QUIET, self._latest)
        return False


def _keys(data: bytes) -> list[Keys | Pasted]:
    data = _OLD_MOUSE.sub(b"", data) if b"\x1b[M" in data else data
    return [Keys(data)] if data else []
