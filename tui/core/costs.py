"""What tokens cost: exact, in decimal, and unknown where a count or a price is missing.

Buckets are inclusive: cached and written tokens are inside the input, reasoning tokens inside the output, so
that nothing is paid twice. Prices are dated list prices and so every cost is an estimate; a service tier
has no price of its own (only the standard tier is on Bedrock's cards).
Source: bedrock-facts.md section 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tui.core.catalogue import Model, Price
from tui.core.items import Usage

__all__ = [
    "CostEstimate",
    "RunningCost",
    "cost_of",
    "cost_of_model",
    "kinds_for",
    "price_for",
    "total_cost",
    "upper_cost",
]

_PER: Final = Decimal(1_000_000)
_IN_REGION: Final = ("in-region", "global", "list")
_GLOBAL: Final = ("global", "list", "in-region")


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What something cost.

    Attributes:
        usd: US dollars, exact.
        estimate: Whether it comes from list prices that may have changed; shown as "~".
        at_least: Whether a part of it is unknown, so that it cost this or more.
        uncertain: Whether a price in it is doubtful in the catalogue; shown as "?".
    """

    usd: Decimal
    estimate: bool = True
    at_least: bool = False
    uncertain: bool = False


def kinds_for(model_id: str) -> tuple[str, ...]:
    """Which kinds of price hold for a model under an id, the best first.

    A `global.` inference profile is billed at the global price, which is OpenAI's list price; everything
    else as in-region, which is about 10 % more (bedrock-facts.md 7).
    """
    return _GLOBAL if model_id.startswith("global.") else _IN_REGION


def price_for(prices: Iterable[Price], input_tokens: int, kinds: Iterable[str] = _IN_REGION) -> Price | None:
    """The price that holds for a request of this size.

    Args:
        prices: The model's.
        input_tokens: Of one request; within a kind, the tier is the highest one that it exceeds.
        kinds: Which kinds to take, the best first.
    """
    rows = [price for price in prices if price.above == 0 or input_tokens > price.above]
    for kind in kinds:
        tiers = [price for price in rows if price.kind == kind]
        if tiers:
            return max(tiers, key=lambda price: price.above)
    return None


def cost_of_model(usage: Usage | None, model: Model | None, model_id: str) -> CostEstimate | None:
    """What one response cost, of a model that went under `model_id`; `None` when that is unknown."""
    return None if model is None else cost_of(usage, model.prices, kinds_for(model_id))


def cost_of(
    usage: Usage | None, prices: Iterable[Price], kinds: Iterable[str] = _IN_REGION
) -> CostEstimate | None:
    """What one turn cost; `None` when a count or a price that it needs is unknown.

    `(input - cached - written) * in + cached * cached price + written * write price + output * out`, at the
    prices that hold for an input of that size. A model with no price for writes in any tier bills them as
    input; where only this tier's is missing, what writes cost is unknown.

    Args:
        usage: One response's usage, not a sum over turns, as the price may depend on the size of one input.
        prices: The model's prices, as in the catalogue.
        kinds: See `price_for`.
    """
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    rows = tuple(prices)
    price = price_for(rows, usage.input_tokens, kinds)
    if price is None or price.input is None or price.output is None:
        return None
    cached, written = usage.cached_tokens, usage.cache_write_tokens
    if price.cached is None and cached != 0:
        return None
    if price.cache_write is None:
        if written != 0 and any(other.cache_write is not None for other in rows):
            return None
        written = 0
    if cached is None or written is None or cached + written > usage.input_tokens:
        return None
    usd = (
        (usage.input_tokens - cached - written) * price.input
        + cached * (price.cached or 0)
        + written * (price.cache_write or 0)
        + usage.output_tokens * price.output
    ) / _PER
    return CostEstimate(usd, uncertain=price.uncertain)


def upper_cost(
    input_tokens: int, output_tokens: int, prices: Iterable[Price], kinds: Iterable[str] = _IN_REGION
) -> CostEstimate | None:
    """The most that so many tokens can cost: nothing from the cache, and all of the input written to it.

    A tier whose price for writes is missing takes the dearest ratio of write to input price that the model's
    other tiers have. `None` when a price that it needs is unknown.
    """
    rows = tuple(prices)
    price = price_for(rows, input_tokens, kinds)
    if price is None or price.input is None or price.output is None:
        return None
    dearest = max(price.input, price.cache_write or Decimal(0))
    uncertain = price.uncertain
    if price.cache_write is None:
        ratios = [row.cache_write / row.input for row in rows if row.cache_write is not None and row.input]
        if ratios:
            dearest, uncertain = max(dearest, price.input * max(ratios)), True
    return CostEstimate((input_tokens * dearest + output_tokens * price.output) / _PER, uncertain=uncertain)


class RunningCost:
    """The costs of turns, added up one by one."""

    def __init__(self) -> None:
        self._usd = Decimal(0)
        self._known = self._estimate = self._at_least = self._uncertain = False

    def add(self, cost: CostEstimate | None) -> None:
        """Add the cost of a turn; `None` is unknown."""
        if cost is None:
            self._at_least = True
            return
        self._known = True
        self._usd += cost.usd
        self._estimate |= cost.estimate
        self._at_least |= cost.at_least
        self._uncertain |= cost.uncertain

    @property
    def total(self) -> CostEstimate | None:
        """What all came to so far; `None` when no cost is known, "at least" when some are not."""
        if not self._known:
            return None
        return CostEstimate(self._usd, self._estimate, at_least=self._at_least, uncertain=self._uncertain)


def total_cost(costs: Iterable[CostEstimate | None]) -> CostEstimate | None:
    """Add up the turns' costs; `None` when none is known, "at least" when some are not."""
    running = RunningCost()
    for cost in costs:
        running.add(cost)
    return running.total
