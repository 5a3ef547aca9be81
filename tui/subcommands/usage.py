"""`outcrop usage`: tokens and costs over days, models and regions, from the history."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from tui.config.settings import load_settings
from tui.core.errors import InputError
from tui.core.figures_export import exact, totals_csv, totals_json
from tui.core.text import printable, visible_line
from tui.core.usage import UsageTotals, grouped
from tui.session.spending import local_day
from tui.store.history import History

__all__ = ["run", "since_day"]

_UNKNOWN: Final = "–"
_DAYS: Final = 30
_COUNTS: Final = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


def run(options: argparse.Namespace) -> int:
    """Add up and print.

    Raises:
        InputError: `--since` is no day.
        StoreError: The history cannot be read.
    """
    settings = load_settings({}, os.environ)
    first = since_day(options.since, date.today())
    since = datetime(first.year, first.month, first.day).timestamp()
    history = History(settings.data_dir / "history.db")
    try:
        records = history.usage_records(since, options.sandbox)
    finally:
        history.close()
    groups, total = grouped(records, options.by, settings.catalogue, local_day)
    if options.json:
        print(totals_json(groups, total, options.by, first.isoformat()))
    elif options.csv:
        sys.stdout.write(printable(totals_csv(groups, options.by), sys.stdout.isatty()))
    elif not groups:
        print(f"Nothing was sent since {first.isoformat()}.", file=sys.stderr)
    else:
        _print_table(groups, total, options.by)
    return 0


def since_day(given: str | None, today: date) -> date:
    """The first local day to count: a day, or so many days back, the present one included.

    Raises:
        InputError: It is neither.
    """
    text = (given or f"{_DAYS}d").strip()
    if back := re.fullmatch(r"([0-9]{1,5})d", text):
        return max(date(1970, 1, 2), today - timedelta(days=max(0, min(int(back[1]), 20_000) - 1)))
    try:
        return max(date(1970, 1, 2), date.fromisoformat(text))
    except ValueError:
        shown = visible_line(text)[:40]
        raise InputError(
            f"--since is '{shown}'; give a day such as 2026-11-01, or 7d for seven days."
        ) from None


def _print_table(groups: Sequence[UsageTotals], total: UsageTotals, by: str) -> None:
    titles = (by, "answers", "input", "cached", "written", "output", "reasoning", "cost")
    lines = [titles, *(_cells(group) for group in groups), ("total", *_cells(total)[1:])]
    widths = [max(len(line[index]) for line in lines) for index in range(len(titles))]
    for line in lines:
        first = visible_line(line[0]).ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join([first, *rest]))
    notes = _notes(total)
    if notes:
        print("\n" + "\n".join(notes), file=sys.stderr)


def _cells(group: UsageTotals) -> tuple[str, ...]:
    counts = group.usage.as_dict()
    shown = [_count(counts[name], name in group.partial) for name in _COUNTS]
    return (group.key, f"{group.responses:,}", *shown, _cost(group))


def _count(count: int | None, partial: bool) -> str:
    if count is None:
        return _UNKNOWN
    return f"{'≥' if partial else ''}{count:,}"


def _cost(group: UsageTotals) -> str:
    cost = group.cost
    if cost is None:
        return _UNKNOWN
    sign = "≥" if cost.at_least else ""
    return f"{sign}~${exact(cost.usd)}{'?' if cost.uncertain else ''}"


def _notes(total: UsageTotals) -> list[str]:
    notes = ["~ at the catalogue's prices; an estimate."]
    if total.cost is not None and total.cost.uncertain:
        notes.append("? a price in it is uncertain.")
    if total.partial or (total.cost is not None and total.cost.at_least):
        notes.append("≥ (or –): the server did not report it for every answer (or for none).")
    return notes
