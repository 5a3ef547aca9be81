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
        self._place = 0  # its length stands for the draft
        self._draft = Draft()

    def replace(self, prompts: Iterable[str]) -> None:
        """Take these instead; the same twice in a row counts once."""
        self._prompts = []
        for prompt in prompts:
            if prompt and (not self._prompts or self._prompts[-1].text != prompt):
                self._prompts.append(Draft(visible(prompt)))
        self._place = len(self._prompts)

    def remember(self, draft: Draft) -> None:
        """Add what was sent or put away, and stand after it."""
        draft = draft.stripped()
        if not draft.is_empty and (not self._prompts or self._prompts[-1].text != draft.text):
            self._prompts.append(draft)
        self._place = len(self._prompts)
        self._draft = Draft()

    def earlier(self, present: Draft) -> Draft | None:
        """The prompt before; `present` is kept where it is the draft. `None` at the beginning."""
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
