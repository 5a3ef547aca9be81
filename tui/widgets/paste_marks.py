"""Long pastes in a prompt: one character in the text area stands for each of them.

The characters are from the end of a private-use plane, where no text has any business. A text that holds one
all the same is not confused with a mark: `guard` makes a paste of its own of such a stretch, so that what is
sent is what was pasted, whatever was in it. Expanding is done once, never into what was expanded.
"""

from __future__ import annotations

import re
from typing import Final

from tui.core.drafts import Draft, Span

__all__ = ["PasteMarks", "sign_of"]

_FIRST: Final = 0x10F000
_LAST: Final = 0x10FFFD
_MARK: Final = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]")
_MARKS: Final = re.compile(f"[{chr(_FIRST)}-{chr(_LAST)}]+")
_SIGNS: Final = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
"""Of one cell each; those from 21 on have two."""


def sign_of(number: int) -> str:
    """What is drawn for the paste of this number, from 1: one cell."""
    return _SIGNS[number - 1] if number <= len(_SIGNS) else "▣"


class PasteMarks:
    """The pastes of one text area by their marks; a mark stays what it is, so that undo brings it back."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def add(self, text: str) -> str:
        """Keep a paste; gives its mark, or the text itself when there are thousands of pastes already."""
        code = _FIRST + len(self._texts)
        if code > _LAST:
            return _MARK.sub("\N{REPLACEMENT CHARACTER}", text)
        self._texts[chr(code)] = text
        return chr(code)

    def guard(self, text: str) -> str:
        """A text from anywhere, ready to stand in the text area."""
        return _MARKS.sub(lambda stretch: self.add(stretch[0]), text) if _MARK.search(text) else text

    def holds_marks(self, text: str) -> bool:
        """Whether a text has characters that marks are made of."""
        return _MARK.search(text) is not None

    def text_of(self, mark: str) -> str | None:
        """The paste of this mark; `None` when it is no mark."""
        return self._texts.get(mark)

    def number_of(self, mark: str) -> int:
        """Its number, from 1, in the order in which pastes were made."""
        return ord(mark) - _FIRST + 1

    def in_order(self, raw: str) -> list[str]:
        """The marks that stand in the text area, in their order; one that was copied counts once."""
        return [mark for mark in dict.fromkeys(_MARK.findall(raw)) if mark in self._texts]

    def expand(self, raw: str) -> str:
        """The text with every paste in the place of its mark."""
        return _MARK.sub(lambda mark: self._texts.get(mark[0], ""), raw)

    def draft(self, raw: str) -> Draft:
        """The same, with where the pastes stand."""
        parts: list[str] = []
        spans: list[Span] = []
        length = done = 0
        for match in _MARK.finditer(raw):
            before, paste = raw[done : match.start()], self._texts.get(match[0], "")
            parts += [before, paste]
            length += len(before)
            if paste:
                spans.append((length, length + len(paste)))
            length += len(paste)
            done = match.end()
        return Draft("".join([*parts, raw[done:]]), tuple(spans))

    def load(self, draft: Draft) -> str:
        """Forget every paste and take those of a draft; gives what stands in the text area."""
        self._texts.clear()
        return self.take(draft)

    def take(self, draft: Draft) -> str:
        """Take the pastes of a draft beside those there are; gives what stands in the text area for it."""
        parts: list[str] = []
        done = 0
        for first, last in draft.pastes:
            parts += [self.guard(draft.text[done:first]), self.add(draft.text[first:last])]
            done = last
        return "".join([*parts, self.guard(draft.text[done:])])

    def sign(self, raw: str) -> str:
        """A line as it is drawn: the sign of each paste in the place of its mark."""
        return _MARK.sub(lambda mark: sign_of(self.number_of(mark[0])), raw) if _MARK.search(raw) else raw

    def places(self, raw: str) -> list[int]:
        """Where marks stand in a line."""
        return [match.start() for match in _MARK.finditer(raw)]
