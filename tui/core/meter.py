"""The meter's arithmetic: what the tokens of a turn were, and what they cost. Exact, in decimal.

Buckets are inclusive: cached and written tokens are inside the input, reasoning tokens inside the output,
so a split only ever subtracts. A figure that needs a count the server did not give is unknown (`None`),
never 0; where the rest has an upper bound, it is kept as one.
Source: bedrock-facts.md section 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tui.core.catalogue import Price
from tui.core.items import Usage

__all__ = [
    "Bucket",
    "CostEstimate",
    "Split",
    "TurnTiming",
    "cached_share",
    "context_share",
    "cost_of",
    "price_for",
    "split",
    "total_cost",
]

_PER: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A count of tokens, or what is known of it.

    Attributes:
        tokens: The count; `None` when it is unknown.
        at_most: When the count is unknown, what it cannot exceed; `None` when that is unknown too.
    """

    tokens: int | None = None
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Where the tokens of a turn, or of a conversation, went; the five add up to input plus output."""

    cached: Bucket
    written: Bucket
    uncached: Bucket
    reasoning: Bucket
    visible: Bucket


def split(usage: Usage | None) -> Split:
    """Take the inclusive buckets apart.

    A remainder that would be negative (the counts contradict each other) is unknown.
    """
    if usage is None:
        return Split(Bucket(), Bucket(), Bucket(), Bucket(), Bucket())
    return Split(
        cached=Bucket(usage.cached_tokens),
        written=Bucket(usage.cache_write_tokens),
        uncached=_rest(usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens),
        reasoning=Bucket(usage.reasoning_tokens),
        visible=_rest(usage.output_tokens, usage.reasoning_tokens),
    )


def _rest(whole: int | None, *parts: int | None) -> Bucket:
    if whole is None:
        return Bucket()
    rest = whole - sum(part for part in parts if part is not None)
    if rest < 0:
        return Bucket()
    return Bucket(rest) if None not in parts else Bucket(None, at_most=rest)


def cached_share(usage: Usage | None) -> float | None:
    """The part of the input that came from the cache, 0 to 1; `None` when it cannot be told."""
    if usage is None or usage.cached_tokens is None or not usage.input_tokens:
        return None
    return min(1.0, usage.cached_tokens / usage.input_tokens)


def context_share(last: Usage | None, window: int | None) -> float | None:
    """How full the context window was at the end of the last turn, 0 to 1 and above.

    Args:
        last: The last turn's usage; its input is the whole context before it, its output comes on top.
        window: Tokens the model takes; `None` when it is not known.
    """
    if last is None or not window or last.input_tokens is None or last.output_tokens is None:
        return None
    return (last.input_tokens + last.output_tokens) / window


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What something cost.

    Attributes:
        usd: US dollars, exact.
        estimate: Whether it comes from list prices that may have changed; shown as "~".
        at_least: Whether a part of it is unknown, so that it cost this or more.
    """

    usd: Decimal
    estimate: bool = True
    at_least: bool = False


def price_for(prices: Iterable[Price], input_tokens: int) -> Price | None:
    """The price that holds for a request of this size.

    What the region's own endpoint charges comes before a global profile's price, and that before a list
    price; within a kind, the tier is the highest one that the input exceeds.
    """
    rows = [price for price in prices if price.above == 0 or input_tokens > price.above]
    for kind in ("in-region", "global", "list"):
        tiers = [price for price in rows if price.kind == kind]
        if tiers:
            return max(tiers, key=lambda price: price.above)
    return None


def cost_of(usage: Usage | None, prices: Iterable[Price]) -> CostEstimate | None:
    """What one turn cost; `None` when a count or a price that it needs is unknown.

    `(input - cached - written) * in + cached * cached price + written * write price + output * out`, at the
    prices that hold for an input of that size. A model with no price for writes in any tier bills them as
    input; where only this tier's is missing, what writes cost is unknown.

    Args:
        usage: One response's usage, not a sum over turns, as the price may depend on the size of one input.
        prices: The model's prices, as in the catalogue; dated list prices, so that the cost is an estimate.
    """
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    rows = tuple(prices)
    price = price_for(rows, usage.input_tokens)
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
    return CostEstimate(usd)


def total_cost(costs: Iterable[CostEstimate | None]) -> CostEstimate | None:
    """Add up the turns' costs; `None` when none is known, "at least" when some are not."""
    rows = list(costs)
    known = [cost for cost in rows if cost is not None]
    if not known:
        return None
    return CostEstimate(
        usd=sum((cost.usd for cost in known), Decimal(0)),
        estimate=any(cost.estimate for cost in known),
        at_least=len(known) < len(rows) or any(cost.at_least for cost in known),
    )


@dataclass(frozen=True, slots=True)
class TurnTiming:
    """How fast the last turn was.

    Attributes:
        first_token: Seconds from sending to the first text; `None` when there was none.
        tokens_per_second: Output tokens per second from the first byte to the end.
    """

    first_token: float | None = None
    tokens_per_second: float | None = None
