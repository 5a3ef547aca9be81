"""What it costs to send a recorded request again, said before it is done."""

from __future__ import annotations

from tui.core import figures
from tui.core.answer import usage_of
from tui.core.catalogue import Model
from tui.core.costs import CostEstimate, cost_of_model
from tui.core.exchange import Exchange

__all__ = ["cost_words"]


def cost_words(exchange: Exchange, model: Model | None, times: int = 1, *, sandbox: bool = False) -> str:
    """A sentence or two about the price of sending a request so many times.

    Args:
        exchange: The recorded request; what it cost is what it is judged by.
        model: Of the catalogue, for its prices.
        times: How often it is sent.
        sandbox: Whether the embedded sandbox answers.
    """
    if sandbox:
        return "The sandbox answers: nothing is paid."
    what = "A paid request." if times == 1 else f"{times:,} paid requests."
    usage = usage_of(exchange)
    cost = cost_of_model(usage, model, exchange.model)
    if cost is None:
        return f"{what} What the recorded one cost is not known."
    if times == 1:
        return f"{what} The recorded one cost {_money(cost)}."
    total = CostEstimate(cost.usd * times, cost.estimate, cost.at_least, cost.uncertain)
    return f"{what} At the {_money(cost)} of the recorded one they come to {_money(total)}."


def _money(cost: CostEstimate) -> str:
    return figures.money(cost.usd, estimate=cost.estimate) + ("?" if cost.uncertain else "")
