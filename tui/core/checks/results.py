"""What a check came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from tui.core.costs import CostEstimate, total_cost
from tui.core.figures import UNKNOWN, money

__all__ = ["GLYPHS", "CheckResult", "CheckState", "cost_words", "counts", "spent"]

CheckState = Literal["waiting", "running", "passed", "failed", "skipped"]

GLYPHS: Final[dict[CheckState, str]] = {
    "waiting": "·",
    "running": "▸",
    "passed": "✓",
    "failed": "✗",
    "skipped": "–",
}
"""One cell each; the state is also said in words wherever there is room."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check, as far as it has come.

    Attributes:
        name: Its name on the command line.
        title: What it proves, in a few words.
        paid: Whether it sends a request that is paid for.
        state: How it stands.
        sentence: What was found, why it failed, or why it was skipped.
        next_step: After a failure, what to do next; a sentence.
        seconds: How long it took; `None` before it ended, and where it was skipped.
        request_id: The server's id of the last request it sent; `None` where it sent none or got none.
        exchange_ids: The recorded requests it sent, in order.
        cost: What its requests cost; `None` where it sent none that is paid for, or where that is unknown.
        unpriced: Requests whose cost is unknown.
        facts: What was measured, for reports: names to JSON values.
    """

    name: str
    title: str
    paid: bool
    state: CheckState = "waiting"
    sentence: str = ""
    next_step: str = ""
    seconds: float | None = None
    request_id: str | None = None
    exchange_ids: tuple[str, ...] = ()
    cost: CostEstimate | None = None
    unpriced: int = 0
    facts: Mapping[str, object] = field(default_factory=dict[str, object])


def spent(results: Iterable[CheckResult]) -> CostEstimate | None:
    """What checks cost together: "at least" where a part of it is unknown; `None` for nothing known."""
    rows = list(results)
    known = [row.cost for row in rows if row.cost is not None]
    return total_cost([*known, *([None] if any(row.unpriced for row in rows) else [])])


def cost_words(cost: CostEstimate | None) -> str:
    """A cost in a table's cell; "–" for none or an unknown one."""
    if cost is None:
        return UNKNOWN
    words = money(cost.usd, estimate=cost.estimate)
    return f"{'≥' if cost.at_least else ''}{words}{'?' if cost.uncertain else ''}"


def counts(results: Iterable[CheckResult]) -> dict[str, int]:
    """How many passed, failed and were skipped."""
    rows = list(results)
    return {name: sum(row.state == name for row in rows) for name in ("passed", "failed", "skipped")}
