"""What was used over days, models and regions: pure sums over records, exact, what is unknown said.

Buckets are inclusive (see `meter.py`). A count that the server did not give is not taken for 0: the sum
holds what is known, and says of how many responses it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from tui.core.catalogue import Catalogue
from tui.core.costs import CostEstimate, cost_of_model, total_cost
from tui.core.ids import new_id
from tui.core.items import Target, Usage

__all__ = [
    "GROUPS",
    "UsageGroup",
    "UsageKind",
    "UsageRecord",
    "UsageTotals",
    "grouped",
    "totals_of",
    "usage_record",
]

UsageKind = Literal["turn", "summary", "compaction", "check", "replay"]
UsageGroup = Literal["day", "model", "region"]
GROUPS: Final[tuple[UsageGroup, ...]] = ("day", "model", "region")


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """What one response came to, whoever asked for it.

    Attributes:
        id: Of the turn, or of its own.
        at: When it was asked for, seconds since the epoch.
        conversation_id: Empty where it belongs to none.
        kind: What it was for.
        model: As sent.
        region: AWS region.
        endpoint: `mantle`, `runtime`, `custom` or the name of a profile.
        sandbox: Whether the sandbox made it; such a record cost nothing.
        usage: The server's counts; `None` when it gave none although it had begun.
    """

    id: str
    at: float
    conversation_id: str
    kind: UsageKind
    model: str
    region: str
    endpoint: str
    sandbox: bool
    usage: Usage | None


def usage_record(
    kind: UsageKind, conversation_id: str, at: float, target: Target, usage: Usage | None
) -> UsageRecord:
    """A record of a response that belongs to no turn; arguments as the attributes of `UsageRecord`."""
    place = (target.model, target.region, target.endpoint)
    return UsageRecord(new_id(), at, conversation_id, kind, *place, target.sandbox, usage)


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """A group of records added up.

    Attributes:
        key: The day (`2026-11-22`), the model or the region; empty for the total of all.
        responses: How many records there are.
        unreported: How many of them came without counts.
        usage: The counts added up, each over those that have it.
        partial: Names of the counts that some records with counts do not have, so that a sum is "at least".
        cost: What they cost; `None` when no part of it is known.
    """

    key: str
    responses: int
    unreported: int
    usage: Usage
    partial: frozenset[str]
    cost: CostEstimate | None

    @property
    def usd(self) -> Decimal | None:
        """The known part of the cost in US dollars."""
        return None if self.cost is None else self.cost.usd


def totals_of(key: str, records: Iterable[UsageRecord], catalogue: Catalogue) -> UsageTotals:
    """Add up records; each one's cost is its own, as the price may depend on the size of one input."""
    rows = list(records)
    usages = [row.usage for row in rows if row.usage is not None]
    names = Usage().as_dict()
    partial = frozenset(
        name
        for name in names
        if len(usages) < len(rows) or any(usage.as_dict()[name] is None for usage in usages)
    )
    return UsageTotals(
        key=key,
        responses=len(rows),
        unreported=len(rows) - len(usages),
        usage=Usage.total(usages),
        partial=partial,
        cost=total_cost(cost_of_model(row.usage, catalogue.model(row.model), row.model) for row in rows),
    )


def grouped(
    records: Iterable[UsageRecord], by: UsageGroup, catalogue: Catalogue, day_of: Callable[[float], str]
) -> tuple[list[UsageTotals], UsageTotals]:
    """Add up records by day, model or region.

    Args:
        records: Any.
        by: What to group by.
        catalogue: Gives the prices.
        day_of: Names the local day of a moment, `YYYY-MM-DD`.

    Returns:
        The groups (days oldest first, else the largest cost first), and the total of all.
    """
    rows = list(records)
    keys: Mapping[UsageGroup, Callable[[UsageRecord], str]] = {
        "day": lambda row: day_of(row.at),
        "model": lambda row: row.model,
        "region": lambda row: row.region,
    }
    found: dict[str, list[UsageRecord]] = {}
    for row in rows:
        found.setdefault(keys[by](row), []).append(row)
    groups = [totals_of(key, members, catalogue) for key, members in found.items()]
    if by == "day":
        groups.sort(key=lambda group: group.key)
    else:
        groups.sort(key=lambda group: (-(group.usd or Decimal(-1)), group.key))
    return groups, totals_of("", rows, catalogue)
