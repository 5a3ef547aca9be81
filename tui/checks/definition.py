"""What a check is, and how its function says what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tui.core.background import why_not_in_background

if TYPE_CHECKING:
    from tui.checks.context import CheckContext
    from tui.core.catalogue import Catalogue
    from tui.core.items import Target

__all__ = ["MOST_OUTPUT", "Check", "CheckFailed", "CheckSkipped", "Found"]

MOST_OUTPUT: Final = 1024
"""`max_output_tokens` of each request, as in the guide: reasoning counts into it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check that passed found.

    Attributes:
        sentence: In words.
        facts: For reports: names to JSON values.
    """

    sentence: str
    facts: Mapping[str, object] = field(default_factory=dict[str, object])


class CheckFailed(Exception):
    """A check failed for a reason that no error tells.

    Attributes:
        next_step: What to do, as a sentence.
    """

    def __init__(self, sentence: str, next_step: str, facts: Mapping[str, object] | None = None) -> None:
        super().__init__(sentence)
        self.next_step = next_step
        self.facts = dict(facts or {})


class CheckSkipped(Exception):
    """A check does not apply; the text says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check, as data.

    Attributes:
        name: Its name on the command line: one word.
        title: What it proves, in a few words.
        run: Does it; raises `CheckFailed`, `CheckSkipped` or an `OutcropError`.
        requests: How many paid requests it sends; 0 for a free one.
        likely: Tokens in and out that all of them together are likely to take.
        needs: Checks without which it makes no sense: where one of them failed, it is skipped.
        timing: Whether it is there to measure (setting `responsiveness_check`).
        feature: What the API must have for it, out of `api_rules.FEATURES`; empty for nothing.
        takes: What kind of file the model must take for it; empty for none.
        stores: Whether the server keeps something of it, so that it wants a clean-up.
        shares: It looks at the answer of this check, and sends a request of its own only without it.
    """

    name: str
    title: str
    run: Callable[[CheckContext], Awaitable[Found]]
    requests: int = 0
    likely: tuple[int, int] = (0, 0)
    needs: tuple[str, ...] = ()
    timing: bool = False
    feature: str = ""
    takes: str = ""
    shares: str = ""
    stores: bool = False

    def why_not(self, target: Target, catalogue: Catalogue) -> str | None:
        """Why it does not apply there, as far as the catalogue knows; `None` where it does."""
        if self.feature:
            found = catalogue.why_not(self.feature, target.model, target.endpoint, target.api)
            if found is None and self.feature == "background":
                found = why_not_in_background(target, "stateful", catalogue)
            if found is not None:
                return found
        model = catalogue.model(target.model)
        if self.takes and model is not None and self.takes not in model.inputs:
            return f"{model.label} takes no {self.takes.upper()}."
        return None

    @property
    def paid(self) -> bool:
        """Whether it sends requests that are paid for."""
        return self.requests > 0
