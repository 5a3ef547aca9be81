"""What each column of a comparison came to: times, tokens, cost, outcome; as a table and as data."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tui.core.catalogue import Catalogue
from tui.core.compare.differences import Difference
from tui.core.compare.targets import Asked
from tui.core.costs import CostEstimate, cost_of_model, total_cost
from tui.core.estimate import TurnEstimate
from tui.core.exchange import Exchange
from tui.core.figures import UNKNOWN, count, money, seconds
from tui.core.items import Outcome, Turn, Usage

__all__ = [
    "GLYPHS",
    "TITLES",
    "ColumnFigures",
    "cells",
    "cost_words",
    "document",
    "figures_of",
    "likely_words",
    "table_lines",
]

GLYPHS: Final = {
    "waiting": "◌",
    "running": "●",
    Outcome.COMPLETED: "✓",
    Outcome.INCOMPLETE: "◐",
    Outcome.CANCELLED: "◐",
    Outcome.FAILED: "✗",
}
_ENDED: Final = {Outcome.CANCELLED: "stopped"}
TITLES: Final = {
    "first": "first text",
    "time": "time",
    "in": "in",
    "cached": "cached",
    "out": "out",
    "reasoning": "reasoning",
    "cost": "cost",
    "outcome": "outcome",
}
"""The columns of figures, by key."""


@dataclass(frozen=True, slots=True)
class ColumnFigures:
    """One column; `None` is what the server did not say, or what has not happened.

    Attributes:
        outcome: How it ended; `None` while it runs or before it began.
        running: Whether it has begun and not ended.
        first_text: Seconds from sending to the first text, of the attempt that answered.
        seconds: From sending to the end, of the same; while it runs, so far.
        usage: The server's counts.
        cost: At the catalogue's prices.
        error: Why it did not complete, as a sentence; empty where it did.
    """

    outcome: Outcome | None = None
    running: bool = False
    first_text: float | None = None
    seconds: float | None = None
    usage: Usage = field(default_factory=Usage)
    cost: CostEstimate | None = None
    error: str = ""

    @property
    def state(self) -> str:
        """In one word."""
        if self.outcome is not None:
            return _ENDED.get(self.outcome, str(self.outcome))
        return "running" if self.running else "waiting"

    @property
    def glyph(self) -> str:
        """In one sign."""
        return GLYPHS[self.outcome or self.state]


def figures_of(turn: Turn, exchanges: Sequence[Exchange], catalogue: Catalogue) -> ColumnFigures:
    """The figures of a turn.

    Args:
        turn: As it is now, ended or not.
        exchanges: Those of its conversation.
        catalogue: Gives the prices.
    """
    own = [exchange for exchange in exchanges if exchange.turn_id == turn.id]
    # An attempt that was refused before the one that answered is not what is compared.
    answered = next((one for one in reversed(own) if one.timings.first_text is not None), None)
    timings = (answered or own[-1]).timings if own else None
    model = turn.target.model if turn.target else ""
    return ColumnFigures(
        outcome=turn.outcome,
        running=turn.outcome is None,
        first_text=timings.first_text if timings else None,
        seconds=timings.ended if timings else None,
        usage=turn.usage or Usage(),
        cost=cost_of_model(turn.usage, catalogue.model(model), model),
        error="" if turn.outcome in (None, Outcome.COMPLETED) else turn.error or "",
    )


def cells(figures: ColumnFigures) -> dict[str, str]:
    """The figures as texts, by the keys of `TITLES`."""
    usage = figures.usage
    return {
        "first": seconds(figures.first_text),
        "time": seconds(figures.seconds),
        "in": count(usage.input_tokens),
        "cached": count(usage.cached_tokens),
        "out": count(usage.output_tokens),
        "reasoning": count(usage.reasoning_tokens),
        "cost": cost_words(figures.cost),
        "outcome": f"{figures.glyph} {figures.state}",
    }


def cost_words(cost: CostEstimate | None) -> str:
    """A cost, with "~" and "?" as everywhere, and "≥" where a part of it is unknown."""
    if cost is None:
        return UNKNOWN
    least = "≥" if cost.at_least else ""
    return f"{least}{money(cost.usd, estimate=cost.estimate)}{'?' if cost.uncertain else ''}"


def likely_words(estimates: Sequence[TurnEstimate | None]) -> str:
    """What all columns together are likely to cost, and at most: `likely ~$0.0041, at most ~$0.180`."""
    likely = total_cost(one.cost if one else None for one in estimates)
    most = total_cost(one.cost_most if one else None for one in estimates)
    if likely is None or most is None:
        return "nobody knows what they cost"
    unknown = sum(one is None or one.cost is None or one.cost_most is None for one in estimates)
    without = f", without {unknown} of unknown price" if unknown else ""
    return (
        f"likely {cost_words(replace(likely, at_least=False))}, "
        f"at most {cost_words(replace(most, at_least=False))}{without}"
    )


def table_lines(names: Sequence[str], rows: Sequence[ColumnFigures], width: int) -> list[str]:
    """The table of a comparison for a terminal; below a row, why it did not complete.

    Args:
        names: Of the columns.
        rows: Their figures.
        width: Columns of the terminal; a name that does not fit beside the figures stands above them.
    """
    texts = [cells(figures) for figures in rows]
    wide = {key: max(len(title), *(len(row[key]) for row in texts)) for key, title in TITLES.items()}

    def line(begin: str, row: Mapping[str, str]) -> str:
        figures = [
            row[key].ljust(wide[key]) if key == "outcome" else row[key].rjust(wide[key]) for key in TITLES
        ]
        return "  ".join([begin, *figures]).rstrip()

    room = max(len("target"), *map(len, names)) + 2
    beside = room + sum(wide.values()) + 2 * len(wide) <= width
    lines = [line("  target".ljust(room) if beside else "  ", TITLES)]
    for number, (name, row, figures) in enumerate(zip(names, texts, rows, strict=True), 1):
        head = f"{number} {name}"
        lines += [line(head.ljust(room), row)] if beside else [head, line("  ", row)]
        if figures.error:
            lines += textwrap.wrap(figures.error, width, initial_indent="  ", subsequent_indent="  ")
    return lines


def document(
    prompt: str,
    columns: Sequence[tuple[Asked, str, ColumnFigures, Turn | None, TurnEstimate | None]],
    differences: Sequence[tuple[int, int, Difference]],
) -> dict[str, Any]:
    """A comparison as JSON.

    Args:
        prompt: What was asked.
        columns: What each asked, its conversation's id, its figures, its turn, what was estimated.
        differences: Of two columns, counted from 1.
    """
    return {
        "prompt": prompt,
        "columns": [_column(number, *column) for number, column in enumerate(columns, 1)],
        "differences": [
            {"first": first, "second": second, **_difference(found)} for first, second, found in differences
        ],
    }


def _column(
    number: int,
    asked: Asked,
    conversation: str,
    figures: ColumnFigures,
    turn: Turn | None,
    estimate: TurnEstimate | None,
) -> dict[str, Any]:
    target = asked.target
    return {
        "number": number,
        "model": target.model,
        "region": target.region,
        "endpoint": target.endpoint,
        "api": target.api,
        "effort": asked.effort,
        "continuation": asked.mode,
        "conversation": conversation if turn is not None else None,
        "outcome": figures.outcome,
        "error": figures.error or None,
        "first_text_seconds": figures.first_text,
        "seconds": figures.seconds,
        "usage": figures.usage.as_dict() if turn is not None and turn.usage else None,
        "cost_usd": _usd(figures.cost),
        "likely_usd": _usd(estimate.cost if estimate else None),
        "most_usd": _usd(estimate.cost_most if estimate else None),
        "response_id": turn.response_id if turn else None,
        "request_id": turn.request_id if turn else None,
        "text": turn.text if turn else "",
    }


def _usd(cost: CostEstimate | None) -> float | None:
    return None if cost is None else float(cost.usd)


def _difference(found: Difference) -> dict[str, Any]:
    if found.changes is None:
        pieces = [{"kind": piece.kind, "text": piece.text} for piece in found.pieces]
        return {"same_words": None if found.same is None else round(found.same, 4), "pieces": pieces}
    changes = [
        {"kind": change.kind, "path": change.path, "old": change.old, "new": change.new}
        for change in found.changes
    ]
    return {"changes": changes}
