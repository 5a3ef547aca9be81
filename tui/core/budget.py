"""Budgets: whether the next turn may go, needs a word of warning, or is asked about first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from tui.core.catalogue import Catalogue
from tui.core.costs import CostEstimate, cost_of_model
from tui.core.usage import UsageRecord

__all__ = ["WARN_AT", "BudgetDecision", "BudgetState", "Limits", "Spend", "decide", "dollars", "spend_of"]

WARN_AT: Final = Decimal("0.8")
"""From which share of a limit on there is a warning."""

BudgetState = Literal["ok", "warn", "ask"]
_ORDER: Final[tuple[BudgetState, ...]] = ("ok", "warn", "ask")


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be spent before there is a question, in US dollars; `None` is no limit."""

    conversation: Decimal | None = None
    day: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Spend:
    """What was spent.

    Attributes:
        usd: US dollars, at the catalogue's prices.
        unknown: How many responses are not in it, because their tokens or their price are unknown.
    """

    usd: Decimal = Decimal(0)
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class BudgetDecision:
    """Whether to send.

    Attributes:
        state: `ok` sends; `warn` sends and says the sentences; `ask` asks first.
        sentences: What there is to say, for people; with `ok`, what is unknown, if anything.
    """

    state: BudgetState = "ok"
    sentences: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The sentences as one text."""
        return " ".join(self.sentences)


def spend_of(records: Iterable[UsageRecord], catalogue: Catalogue) -> Spend:
    """What responses cost, each at its own price."""
    usd, unknown = Decimal(0), 0
    for record in records:
        cost = cost_of_model(record.usage, catalogue.model(record.model), record.model)
        if cost is None:
            unknown += 1
        else:
            usd += cost.usd
    return Spend(usd, unknown)


def decide(
    limits: Limits, conversation: Spend, day: Spend, ahead: CostEstimate | None = None
) -> BudgetDecision:
    """Whether the next turn may go.

    At the limit, or where the turn would go past it, there is a question; from 80 % of it on a warning.

    Args:
        limits: Those of the settings.
        conversation: What this conversation cost so far.
        day: What was spent since local midnight.
        ahead: What the turn is likely to cost; `None` where nobody can tell.
    """
    state: BudgetState = "ok"
    sentences: list[str] = []
    for limit, spend, what in (
        (limits.conversation, conversation, "this conversation"),
        (limits.day, day, "today"),
    ):
        if limit is None:
            continue
        found = _state(limit, spend.usd, ahead.usd if ahead else Decimal(0))
        state = found if _ORDER.index(found) > _ORDER.index(state) else state
        if found != "ok":
            sentences.append(_sentence(found, limit, spend, what, ahead))
        if spend.unknown:
            answers = "1 answer" if spend.unknown == 1 else f"{spend.unknown} answers"
            sentences.append(f"The cost of {answers} of {what} is unknown and not in that sum.")
    return BudgetDecision(state, tuple(sentences))


def _state(limit: Decimal, spent: Decimal, ahead: Decimal) -> BudgetState:
    if spent >= limit or spent + ahead > limit:
        return "ask"
    return "warn" if spent + ahead >= limit * WARN_AT else "ok"


def _sentence(state: BudgetState, limit: Decimal, spend: Spend, what: str, ahead: CostEstimate | None) -> str:
    spent = f"{what.capitalize()} has cost about {dollars(spend.usd)}"
    if what == "today":
        spent = f"About {dollars(spend.usd)} was spent today"
    if state == "ask" and spend.usd >= limit:
        return f"{spent}: the budget of {dollars(limit)} is used up."
    likely = f", and this turn is likely to cost {dollars(ahead.usd)}" if ahead else ""
    past = "that goes past the budget of" if state == "ask" else "the budget is"
    return f"{spent}{likely}; {past} {dollars(limit)}."


def dollars(amount: Decimal) -> str:
    """US dollars in a sentence: cents, and more places where cents would hide the amount."""
    if amount and abs(amount) < Decimal("0.1"):
        return f"${amount:.4f}" if abs(amount) >= Decimal("0.00005") else "less than $0.0001"
    return f"${amount:,.2f}"
