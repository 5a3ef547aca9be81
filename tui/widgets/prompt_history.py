"""The prompts that Up and Down go through, and the draft that Down comes back to."""

from __future__ import annotations

from collections.abc import Iterable

from tui.core.drafts import Draft
from tui.core.text import visible

__all__ = ["PromptHistory"]


class PromptHistory:
    """Earlier prompts, oldest first, and where one stands among them."""

    def __init__(self) -> None:
        self._prompts: list[Draft] = []
        self._unread: Iterable[str] = ()  # what comes before, read when asked for
        self._place = 0  # its length stands for the draft
        self._draft = Draft()

    def replace(self, prompts: Iterable[str]) -> None:
        """Take these instead, which are read when they are needed; the same twice in a row counts once."""
        self._prompts, self._unread = [], prompts
        self._place = 0

    def _read(self) -> None:
        unread, self._unread = self._unread, ()
        before: list[Draft] = []
        for prompt in unread:
            if prompt and (not before or before[-1].text != prompt):
                before.append(Draft(visible(prompt)))
        if before and self._prompts and before[-1].text == self._prompts[0].text:
            before.pop()
        self._prompts[:0] = before
        self._place += len(before)

    def remember(self, draft: Draft) -> None:
        """Add what was sent or put away, and stand after it."""
        draft = draft.stripped()
        if not draft.is_empty and (not self._prompts or self._prompts[-1].text != draft.text):
            self._prompts.append(draft)
        self._place = len(self._prompts)
        self._draft = Draft()

    def earlier(self, present: Draft) -> Draft | None:
        """The prompt before; `present` is kept where it is the draft. `None` at the beginning."""
        self._read()
        if not self._place:
            return None
        if self._place == len(self._prompts):
            self._draft = present
        self._place -= 1
        return self._prompts[self._place]

    def later(self) -> Draft | None:
        """The prompt after, at last the draft; `None` at the end."""
        if self._place >= len(self._prompts):
            return None
        self._place += 1
        return self._draft if self._place == len(self._prompts) else self._prompts[self._place]
