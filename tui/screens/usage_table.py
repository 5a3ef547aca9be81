"""The turns of a conversation as a table of figures, with what they add up to."""

from __future__ import annotations

import datetime
from typing import Final

from tui.core import figures
from tui.core.items import Usage
from tui.core.meter import Bucket, ConversationFigures, TurnFigures
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.meter import bucket_text, cost_text
from tui.widgets.rows import Row

__all__ = ["TurnFiguresTable"]

_COLUMNS: Final = (
    Column("turn", "turn", 4, 4, 0, right=True),
    Column("time", "time", 5, 5, 12),
    Column("model", "model", 14, 22, 10),
    Column("mode", "mode", 9, 9, 13),
    Column("input", "input", 7, 9, 5, right=True),
    Column("cached", "cached", 7, 9, 1, right=True),
    Column("written", "written", 7, 9, 2, right=True),
    Column("uncached", "uncached", 8, 9, 1, right=True),
    Column("share", "from cache", 10, 10, 6, right=True),
    Column("output", "output", 6, 8, 7, right=True),
    Column("reasoning", "reasoning", 9, 9, 3, right=True),
    Column("visible", "visible", 7, 8, 3, right=True),
    Column("cost", "cost", 9, 11, 4, right=True),
    Column("running", "running", 9, 11, 8, right=True),
    Column("window", "window", 6, 6, 11, right=True),
    Column("first", "first", 7, 7, 9, right=True),
    Column("speed", "tok/s", 5, 6, 9, right=True),
)


class TurnFiguresTable:
    """Rows of turns, the sum in the last one."""

    def __init__(self, found: ConversationFigures) -> None:
        self._found = found

    def __len__(self) -> int:
        """Turns and their sum."""
        return len(self._found.turns) + (1 if self._found.turns else 0)

    def titles(self, width: int) -> Row:
        """The line above the columns."""
        return titles_row(_COLUMNS, width)

    def row(self, index: int, width: int) -> Row:
        """The turn at `index`; what is unknown is a dash."""
        turns = self._found.turns
        cells = _turn(turns[index]) if index < len(turns) else self._sum()
        return table_row(layout(_COLUMNS, width), cells)

    def _sum(self) -> dict[str, Cell]:
        found = self._found
        words = f"{found.unreported} without counts" if found.unreported else ""
        return {
            **_usage(found.usage),
            **{name: (_exact(getattr(found.split, name)), "heading") for name in _BUCKETS},
            "turn": ("all", "heading"),
            "time": ("", None),
            "model": (words, "warning"),
            "mode": ("", None),
            "share": (figures.share(found.cached_share), "success"),
            "cost": (cost_text(found.cost), "heading"),
            "running": ("", None),
            "window": ("", None),
            "first": ("", None),
            "speed": ("", None),
        }


_BUCKETS: Final = ("cached", "written", "uncached", "reasoning", "visible")


def _turn(turn: TurnFigures) -> dict[str, Cell]:
    timing = turn.timing
    speed = figures.UNKNOWN if timing.tokens_per_second is None else f"{timing.tokens_per_second:.0f}"
    return {
        **_usage(turn.usage or Usage()),
        **{name: (_exact(getattr(turn.split, name)), None) for name in _BUCKETS},
        "turn": (str(turn.number), "dim"),
        "time": (f"{datetime.datetime.fromtimestamp(turn.at):%H:%M}", "dim"),
        "model": (turn.model, "dim"),
        "mode": (turn.continuation, "dim"),
        "share": (figures.share(turn.cached_share), "success"),
        "cost": (cost_text(turn.cost), "number"),
        "running": (cost_text(turn.running), "dim"),
        "window": (figures.share(turn.context_share), "dim"),
        "first": (figures.seconds(timing.first_token), "dim"),
        "speed": (speed, "dim"),
    }


def _usage(usage: Usage) -> dict[str, Cell]:
    return {"input": (_count(usage.input_tokens), None), "output": (_count(usage.output_tokens), None)}


def _count(count: int | None) -> str:
    return figures.UNKNOWN if count is None else f"{count:,}"


def _exact(bucket: Bucket) -> str:
    return bucket_text(bucket, exact=True).replace("≤ ", "≤")
