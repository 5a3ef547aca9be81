"""Splits `<reasoning>…</reasoning>` from an answer, whatever form it comes in.

The open-weight models' reasoning stands between tags in the text of their answers: around the whole of it,
around each delta, cut across deltas, inside one another, somewhere in the answer, or never closed. Where the
text was cut makes no difference to what comes out.
Source: bedrock-facts.md sections 5 and 6.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CLOSE", "OPEN", "ReasoningTags"]

OPEN: Final = "<reasoning>"
CLOSE: Final = "</reasoning>"

_FENCE: Final = 8
"""Characters at the beginning of a line in which a fence begins, if it is one."""

Piece = tuple[bool, str]
"""Whether a text is reasoning, and the text; never empty."""


class ReasoningTags:
    """Takes a text in pieces cut anywhere; gives its parts without the tags.

    A tag in code (between backticks, or in a fenced block) of the answer is what the answer speaks of, and
    stays. A closing tag that nothing was opened for is dropped.
    """

    def __init__(self) -> None:
        self._held = ""
        self._depth = 0
        self._line = ""  # how the answer's current line begins
        self._ticks = 0  # backticks in it
        self._fenced = False
        self._answered = False
        self._since_close: list[str] | None = None

    def feed(self, text: str) -> list[Piece]:
        """Take the next piece; returns what is certain by now, pieces of one kind joined."""
        return self._read(self._held + text, at_end=False)

    def finish(self) -> list[Piece]:
        """Say that the text has ended; returns what was held back."""
        return self._read(self._held, at_end=True)

    @property
    def overlooked(self) -> str:
        """What was given as reasoning last and is the answer, once the text has ended; empty mostly.

        A tag that was opened twice and closed once leaves no answer at all: then what follows the last
        closing tag is it.
        """
        if self._depth == 0 or self._answered or self._since_close is None:
            return ""
        said = "".join(self._since_close)
        return said if said.strip() else ""

    def _read(self, text: str, *, at_end: bool) -> list[Piece]:
        pieces: list[Piece] = []
        at = 0
        self._held = ""
        while at < len(text):
            start = text.find("<", at)
            if start == -1:
                self._give(pieces, text[at:])
                break
            self._give(pieces, text[at:start])
            tag = next((tag for tag in (OPEN, CLOSE) if text.startswith(tag, start)), None)
            if tag is None:
                rest = text[start : start + len(CLOSE)]
                if not at_end and (OPEN.startswith(rest) or CLOSE.startswith(rest)):
                    self._held = text[start:]
                    break
                self._give(pieces, "<")
                at = start + 1
                continue
            at = start + len(tag)
            if self._depth == 0 and self._in_code():
                self._give(pieces, tag)
            elif tag == OPEN:
                self._depth += 1
            else:
                self._since_close = [] if self._depth else None
                self._depth = max(0, self._depth - 1)
        return pieces

    def _give(self, pieces: list[Piece], text: str) -> None:
        if not text:
            return
        reasoning = self._depth > 0
        if reasoning:
            if self._since_close is not None:
                self._since_close.append(text)
        else:
            self._answered = self._answered or not text.isspace()
            self._follow(text)
        if pieces and pieces[-1][0] == reasoning:
            text = pieces.pop()[1] + text
        pieces.append((reasoning, text))

    def _follow(self, text: str) -> None:
        """Keep what is to be known of the answer's current line, and whether it is in a fenced block."""
        for index, line in enumerate(text.split("\n")):
            if index:
                if self._line.lstrip().startswith(("```", "~~~")):
                    self._fenced = not self._fenced
                self._line, self._ticks = "", 0
            self._ticks += line.count("`")
            if len(self._line) < _FENCE:
                self._line = (self._line + line)[:_FENCE]

    def _in_code(self) -> bool:
        return self._fenced or self._ticks % 2 == 1
