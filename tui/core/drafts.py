"""A prompt that is being written: its text, which stretches of it are long pastes, its files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.core.attachments import Attachment


__all__ = ["Draft", "Span", "is_long_paste"]

Span = tuple[int, int]
"""Where a paste stands in a text: its first character and the one after its last."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is written and not sent.

    Attributes:
        text: All of it, every paste expanded: it can be sent as it is.
        pastes: The stretches of `text` that are shown as chips, in order, not overlapping.
        attachments: What goes with it.
    """

    text: str = ""
    pastes: tuple[Span, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return not self.text.strip() and not self.attachments

    def stripped(self) -> Draft:
        """Without blanks at both ends, which are not sent; a paste keeps its own."""
        start = len(self.text) - len(self.text.lstrip())
        end = len(self.text.rstrip())
        if self.pastes:
            start, end = min(start, self.pastes[0][0]), max(end, self.pastes[-1][1])
        if start >= end:
            return Draft("", (), self.attachments)
        spans = tuple((first - start, last - start) for first, last in self.pastes)
        return Draft(self.text[start:end], spans, self.attachments)

    def edited(self, text: str) -> Draft:
        """With another text; a paste that still stands in it, unchanged and in its order, stays one."""
        spans: list[Span] = []
        at = 0
        for first, last in self.pastes:
            found = text.find(self.text[first:last], at)
            if found >= 0:
                at = found + last - first
                spans.append((found, at))
        return Draft(text, tuple(spans), self.attachments)

    @classmethod
    def joined(cls, drafts: Iterable[Draft]) -> Draft:
        """Several as one: texts with an empty line between, pastes where they were, each file once."""
        text, spans = "", list[Span]()
        files: dict[str, Attachment] = {}
        for draft in drafts:
            files |= {file.sha256: file for file in draft.attachments if file.sha256 not in files}
            if not draft.text.strip():
                continue
            text = f"{text}\n\n" if text else text
            spans += [(first + len(text), last + len(text)) for first, last in draft.pastes]
            text += draft.text
        return cls(text, tuple(spans), tuple(files.values()))


def is_long_paste(text: str, lines: int, characters: int) -> bool:
    """Whether a paste is more than so many lines or characters; 0 takes no notice of that measure."""
    return bool(lines and text.rstrip("\n").count("\n") >= lines) or bool(
        characters and len(text) > characters
    )
