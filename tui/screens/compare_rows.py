"""The tables of a comparison: what will be asked and cost, what it came to, where answers differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui.core.api_rules import API_NAMES
from tui.core.compare.differences import Difference, marked
from tui.core.compare.figures import ColumnFigures, cells, cost_words
from tui.core.compare.targets import Asked
from tui.core.estimate import TurnEstimate
from tui.core.items import Outcome
from tui.widgets.columns import Cell, Column, layout, table_row, titles_row
from tui.widgets.rows import Mark, Row, row, wrap

__all__ = ["MARKS", "AskedTable", "FiguresTable", "difference_rows"]

MARKS: Final[dict[str, Mark]] = {
    "waiting": "dim",
    "running": "accent",
    Outcome.COMPLETED: "success",
    Outcome.INCOMPLETE: "warning",
    "stopped": "warning",
    Outcome.FAILED: "error",
}
_ASKED: Final = (
    Column("model", "model", 15, 34, 0),
    Column("region", "region", 9, 14, 0),
    Column("endpoint", "endpoint", 8, 12, 3),
    Column("api", "API", 9, 16, 2),
    Column("effort", "effort", 6, 8, 0),
    Column("mode", "mode", 9, 9, 1),
    Column("likely", "likely", 9, 10, 0, right=True),
    Column("most", "at most", 8, 10, 0, right=True),
)
_FIGURES: Final = (
    Column("name", "", 17, 60, 0),
    Column("outcome", "outcome", 10, 12, 3),
    Column("first", "first", 6, 9, 0, right=True),
    Column("time", "time", 6, 9, 0, right=True),
    Column("in", "in", 4, 7, 1, right=True),
    Column("cached", "cached", 6, 8, 1, right=True),
    Column("out", "out", 4, 7, 1, right=True),
    Column("reasoning", "reasoning", 9, 10, 2, right=True),
    Column("cost", "cost", 8, 10, 0, right=True),
)


@dataclass(frozen=True, slots=True)
class AskedTable:
    """Targets before they are asked.

    Attributes:
        rows: What each asks, and what that is likely to take where it is known.
    """

    rows: Sequence[tuple[Asked, TurnEstimate | None]] = ()

    def __len__(self) -> int:
        """How many."""
        return len(self.rows)

    @staticmethod
    def titles(width: int) -> Row:
        """The line above the columns."""
        return titles_row(_ASKED, width)

    def row(self, index: int, width: int) -> Row:
        """The target at `index`."""
        asked, estimate = self.rows[index]
        target = asked.target
        found: dict[str, Cell] = {
            "model": (f"{index + 1} {target.model.removeprefix('openai.')}", "key"),
            "region": (target.region, None),
            "endpoint": (target.endpoint, "dim"),
            "api": (API_NAMES.get(target.api, target.api), "dim"),
            "effort": (asked.effort or "unset", None if asked.effort else "dim"),
            "mode": (asked.mode, None),
            "likely": (cost_words(estimate.cost) if estimate else "…", "number"),
            "most": (cost_words(estimate.cost_most) if estimate else "…", "number"),
        }
        return table_row(layout(_ASKED, width), found)


@dataclass(frozen=True, slots=True)
class FiguresTable:
    """What columns came to.

    Attributes:
        rows: A name and the figures of each.
    """

    rows: Sequence[tuple[str, ColumnFigures]] = ()

    def __len__(self) -> int:
        """How many."""
        return len(self.rows)

    @staticmethod
    def titles(width: int) -> Row:
        """The line above the columns."""
        return titles_row(_FIGURES, width)

    def row(self, index: int, width: int) -> Row:
        """The column at `index`; why it failed stands in the place of figures that it has not."""
        name, figures = self.rows[index]
        mark = MARKS[figures.state]
        texts = cells(figures)
        found: dict[str, Cell] = {
            "name": (f"{figures.glyph} {index + 1} {name}", mark if figures.running else None),
            "outcome": (figures.state, mark),
            **{key: (text, "number" if key == "cost" else None) for key, text in texts.items()
               if key != "outcome"},
        }  # fmt: skip
        columns = layout(_FIGURES, width)
        if figures.error and figures.usage.input_tokens is None:
            return table_row(columns, found, tail=(1, figures.error, mark), width=width)
        return table_row(columns, found)


def difference_rows(found: Difference, width: int) -> list[Row]:
    """Where two answers differ: by JSON path, or the text with `[-removed-]` and `{+added+}` in it."""
    if found.is_none:
        return [row(("There is no difference.", "dim"))]
    if found.changes is not None:
        marks: dict[str, Mark] = {
            "added": "success",
            "removed": "error",
            "changed": "warning",
            "moved": "dim",
        }
        rows = [row((change.words(2_000), marks[change.kind]), hang=2) for change in found.changes]
        return wrap(rows, width)
    rows: list[Row] = []
    parts: list[str | tuple[str, Mark]] = []
    for piece in found.pieces:
        for kind, text in marked(piece):
            if text == "\n":
                rows.append(row(*parts, words=True))
                parts = []
            elif kind == "same" and "\n" in text:
                first, *rest = text.split("\n")
                rows.append(row(*parts, first, words=True))
                rows += [row(line, words=True) for line in rest[:-1]]
                parts = [rest[-1]]
            else:
                parts.append(text if kind == "same" else (text, "error" if kind == "removed" else "success"))
    rows.append(row(*parts, words=True))
    return wrap(rows, width)
