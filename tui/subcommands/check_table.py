"""The table of `outcrop check`: a line per check, what it found, and what to do after a failure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from tui.core.checks.results import GLYPHS, CheckResult, cost_words, counts, spent
from tui.core.figures import seconds, short_id
from tui.core.text import visible_line

__all__ = ["row_lines", "summary_lines", "title_lines"]

_NAME: Final = 14
_TIME: Final = 8
_COST: Final = 9
_ID: Final = 14
_BESIDE: Final = 112
"""From so many columns on, what was found stands beside the figures, else below them."""

_INDENT: Final = 4


def title_lines(width: int) -> list[str]:
    """The line above the table."""
    cells = f"  {'check':<{_NAME}}  {'time':>{_TIME}}  {'so far':>{_COST}}  {'request id':<{_ID}}"
    return [f"{cells}  found" if width >= _BESIDE else cells.rstrip()]


def row_lines(result: CheckResult, so_far: Iterable[CheckResult], width: int) -> list[str]:
    """One check's lines, `width` columns wide at most.

    Args:
        result: The check.
        so_far: It and those before it, whose costs are added up.
        width: Columns of the terminal.
    """
    cells = (
        f"{GLYPHS[result.state]} {result.name:<{_NAME}}  {seconds(result.seconds):>{_TIME}}  "
        f"{cost_words(spent(so_far)):>{_COST}}  {short_id(result.request_id):<{_ID}}"
    )
    notes = [result.sentence] if result.sentence else []
    if result.state == "skipped":
        notes = [f"Skipped: {result.sentence}"]
    if result.next_step:
        notes.append(f"Next: {result.next_step}")
    short = f"{GLYPHS[result.state]} {result.name:<{_NAME}}  {visible_line(notes[0])}" if notes else ""
    if result.seconds is None and 0 < len(short) <= width < _BESIDE:
        # There are no figures: the reason stands in their place.
        return [short]
    if width < _BESIDE:
        lines = [line for note in notes for line in _wrapped(note, width - _INDENT)]
        return [cells.rstrip(), *(" " * _INDENT + line for line in lines)]
    at = len(cells) + 2
    lines = [line for note in notes for line in _wrapped(note, width - at)] or [""]
    return [f"{cells}  {lines[0]}".rstrip(), *(" " * at + line for line in lines[1:])]


def summary_lines(results: Sequence[CheckResult], sandbox: bool) -> list[str]:
    """How many passed, what it cost, and how to look closer."""
    numbers = counts(results)
    total = spent(results)
    said = ", ".join(f"{number} {name}" for name, number in numbers.items() if number or name == "passed")
    took = seconds(sum(result.seconds or 0.0 for result in results))
    cost = "" if total is None else f", {cost_words(total)}"
    if total is not None and sandbox:
        cost += " (what it would cost: the sandbox is free)"
    lines = [f"{said}; {took}{cost}."]
    failed = [result for result in results if result.state == "failed" and result.exchange_ids]
    lines += [f"outcrop inspect show {result.exchange_ids[-1]}   shows {result.name}" for result in failed]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(visible_line(text), max(20, width), break_on_hyphens=False) or [""]
