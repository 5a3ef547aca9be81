"""The meter's figures and the usage totals as CSV and JSON: exact, what is unknown left empty or null."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from tui.core.costs import CostEstimate
from tui.core.items import Usage
from tui.core.meter import Bucket, ConversationFigures, Split, TurnFigures
from tui.core.usage import UsageTotals

__all__ = ["exact", "figures_csv", "figures_json", "totals_csv", "totals_document", "totals_json"]

_COUNTS: Final = tuple(Usage().as_dict())
_COST: Final = ("cost_usd", "cost_at_least", "cost_uncertain")
_TURN_COLUMNS: Final = (
    *("turn", "id", "at", "model", "region", "endpoint", "continuation", "outcome", *_COUNTS),
    *("uncached_tokens", "uncached_at_most", "visible_tokens", "visible_at_most", "cached_share"),
    *(*_COST, "running_usd", "context_share", "first_token_seconds", "tokens_per_second"),
)
_TOTAL_COLUMNS: Final = ("key", "responses", "unreported", *_COUNTS, "partial", *_COST)


def figures_csv(figures: ConversationFigures) -> str:
    """The turns as CSV with a line of titles; an unknown figure is an empty cell."""
    return _csv(_TURN_COLUMNS, [_turn(row) for row in figures.turns])


def figures_json(figures: ConversationFigures) -> str:
    """The turns and their totals as a JSON object; an unknown figure is null, money an exact text."""
    totals = {
        **figures.usage.as_dict(),
        **_split(figures.split),
        "cached_share": figures.cached_share,
        **_cost(figures.cost),
        "unreported": figures.unreported,
    }
    return json.dumps({"turns": [_turn(row) for row in figures.turns], "totals": totals}, indent=2)


def totals_csv(groups: Sequence[UsageTotals], by: str) -> str:
    """Usage totals as CSV; the first column is titled by what was grouped."""
    rows = [{**totals_document(group), "partial": " ".join(sorted(group.partial))} for group in groups]
    return _csv(_TOTAL_COLUMNS, rows, {"key": by})


def totals_json(groups: Sequence[UsageTotals], total: UsageTotals, by: str, since: str) -> str:
    """Usage totals as a JSON object.

    Args:
        groups: One for each day, model or region.
        total: Of all.
        by: What was grouped by.
        since: The first local day.
    """
    document = {
        "since": since,
        "by": by,
        "groups": [totals_document(group) for group in groups],
        "total": {name: value for name, value in totals_document(total).items() if name != "key"},
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def totals_document(group: UsageTotals) -> dict[str, Any]:
    """One group as JSON values."""
    return {
        "key": group.key,
        "responses": group.responses,
        "unreported": group.unreported,
        **group.usage.as_dict(),
        "partial": sorted(group.partial),
        **_cost(group.cost),
    }


def _turn(row: TurnFigures) -> dict[str, Any]:
    usage = row.usage or Usage()
    return {
        "turn": row.number,
        "id": row.turn_id,
        "at": row.at,
        "model": row.model,
        "region": row.region,
        "endpoint": row.endpoint,
        "continuation": row.continuation,
        "outcome": row.outcome or None,
        **usage.as_dict(),
        **_split(row.split),
        "cached_share": row.cached_share,
        **_cost(row.cost),
        "running_usd": _money(row.running),
        "context_share": row.context_share,
        "first_token_seconds": row.timing.first_token,
        "tokens_per_second": row.timing.tokens_per_second,
    }


def _split(split: Split) -> dict[str, int | None]:
    """The two remainders: the other buckets are counts of the server's."""

    def both(name: str, bucket: Bucket) -> dict[str, int | None]:
        return {f"{name}_tokens": bucket.tokens, f"{name}_at_most": bucket.at_most}

    return {**both("uncached", split.uncached), **both("visible", split.visible)}


def _cost(cost: CostEstimate | None) -> dict[str, Any]:
    return {
        "cost_usd": _money(cost),
        "cost_at_least": cost.at_least if cost else None,
        "cost_uncertain": cost.uncertain if cost else None,
    }


def _money(cost: CostEstimate | None) -> str | None:
    return None if cost is None else exact(cost.usd)


def exact(amount: Decimal) -> str:
    """A decimal without exponent and without zeros at its end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _csv(
    columns: Sequence[str], rows: Iterable[Mapping[str, Any]], titles: Mapping[str, str] | None = None
) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([(titles or {}).get(column, column) for column in columns])
    for row in rows:
        writer.writerow([_cell(row[column]) for column in columns])
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    # A spreadsheet takes a cell that begins so for a formula; names of models come from outside.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
