"""What linear mode writes: lines, and an answer sentence by sentence. No cursor is moved, nothing redrawn."""

from __future__ import annotations

import re
from typing import Final, TextIO

from tui.core.text import storable, visible

__all__ = ["Voice"]

# After a sentence and its blank, after a CJK full stop, after a line.
_END: Final = re.compile(r"[.!?…][\"')\]”’»*_]*[ \t]|[。！？]|\n")
_LONGEST: Final = 240
"""A sentence that gets longer than this is written up to its last blank."""


class Voice:
    """Writes to standard output.

    Args:
        stdout: A terminal gets every control character as a symbol; through a pipe an answer stays as it is.
    """

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout
        self._to_terminal = stdout.isatty()
        self._held = ""
        self._at_start = True

    def say(self, sentence: str) -> None:
        """Write a line of the program's own; foreign text may be in it."""
        self.rest()
        self._write(visible(sentence) + "\n")

    def ask(self, prompt: str) -> None:
        """Write what stands before the user's words; the line stays open."""
        self.rest()
        self._write(prompt)
        self._at_start = True

    def stream(self, delta: str) -> None:
        """Take a piece of an answer; whole sentences and lines of it are written at once."""
        self._held += delta
        cut = 0
        for match in _END.finditer(self._held):
            cut = match.end()
        if not cut and len(self._held) > _LONGEST:
            cut = self._held.rfind(" ") + 1
        if cut:
            self._foreign(self._held[:cut])
            self._held = self._held[cut:]

    def rest(self) -> None:
        """Write what is held back of an answer, and end its line."""
        if self._held:
            self._foreign(self._held)
            self._held = ""
        if not self._at_start:
            self._write("\n")

    def text(self, text: str) -> None:
        """Write a whole text, such as an earlier answer."""
        self.rest()
        self._foreign(text.rstrip("\n"))
        self.rest()

    def sequence(self, sequence: str) -> None:
        """Send the terminal a sequence of the program's own making."""
        self._stdout.write(sequence)
        self._stdout.flush()

    def _foreign(self, text: str) -> None:
        # "\r\n" is never cut: a line ends with its "\n".
        self._write(visible(text) if self._to_terminal else storable(text))

    def _write(self, text: str) -> None:
        if text:
            self._stdout.write(text)
            self._stdout.flush()
            self._at_start = text.endswith("\n")
