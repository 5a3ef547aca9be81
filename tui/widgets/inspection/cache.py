"""What the prompt cache did for a request: in words, in figures, and coloured in the body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tui.core import figures
from tui.core.cache_analysis import CacheReport
from tui.core.exchange import Exchange
from tui.core.json_places import Place, Step, members
from tui.core.request_body import Outline
from tui.widgets.rows import Mark, Row, row

__all__ = ["cache_rows", "tinted_paths"]

_LABEL: Final = 12
_NESTED: Final = frozenset({"input", "tools", "text", "messages", "outputConfig", "toolConfig"})


def cache_rows(report: CacheReport, previous: Exchange | None, width: int) -> list[Row]:
    """The verdict, its reasons, tokens as bars of one scale, and what the colours below mean."""
    good = bool(report.cached_tokens)
    rows = [row((report.verdict, "success" if good else "warning"), words=True), Row("")]
    if len(report.causes) > 1:
        rows += [row(("• ", "accent"), cause.words, hang=2, words=True) for cause in report.causes]
        rows.append(Row(""))
    rows += _bars(report, width)
    if previous is not None:
        name = f"#{previous.number}.{previous.attempt}"
        rows.append(_field("compared", f"with {name}, on the whole context the model was given"))
    rows.append(_field("the same", _prefix_words(report)))
    if report.prefix.remembered:
        count = report.prefix.remembered
        what = "item is" if count == 1 else "items are"
        rows.append(_field("", f"{count:,} {what} remembered by the server and not in this body"))
    rows.append(Row(""))
    if report.prefix.ranges:
        rows.append(row(("▌ ", "success"), ("the part of the body that could have been cached", "dim")))
    elif report.previous:
        rows.append(row(("Nothing in this body could have been cached.", "dim")))
    return rows


def _field(label: str, words: str) -> Row:
    return row((label.ljust(_LABEL), "key"), words, hang=_LABEL, words=True)


def _prefix_words(report: CacheReport) -> str:
    prefix = report.prefix
    if not report.previous:
        return "nothing to compare with: the first request"
    if not prefix.pieces:
        return "nothing: the contexts differ from the beginning"
    about = "" if prefix.counted else "about "
    parts = f"{prefix.pieces:,} part{'' if prefix.pieces == 1 else 's'} ({prefix.items:,} of the input)"
    return f"{parts}, {figures.size(prefix.size)}, {about}{prefix.tokens:,} tokens at the beginning"


def _bars(report: CacheReport, width: int) -> Iterator[Row]:
    whole = report.input_tokens
    room = max(8, min(40, width - _LABEL - 24))
    entries: tuple[tuple[str, int | None, Mark], ...] = (
        ("input", whole, "dim"),
        ("cached", report.cached_tokens, "success"),
        ("written", report.written_tokens, "accent"),
    )
    for name, tokens, mark in entries:
        if tokens is None:
            yield row((name.ljust(_LABEL), "key"), ("the server did not say", "dim"))
            continue
        part = 0.0 if not whole else min(1.0, tokens / whole)
        filled = round(part * room) or (1 if tokens else 0)
        share = "" if name == "input" or not whole else f"  {figures.share(part)}"
        yield row(
            (name.ljust(_LABEL), "key"),
            ("█" * filled, mark),
            ("░" * (room - filled), "dim"),
            (f" {tokens:,}", "number"),
            (share, "dim"),
        )


def tinted_paths(outline: Outline, report: CacheReport) -> frozenset[tuple[Step, ...]]:
    """The paths of the values of a body that the report's ranges are; off the event loop."""
    ranges = set(report.prefix.ranges)
    if not ranges:
        return frozenset()
    text = outline.data.decode("utf-8", "replace")
    found: set[tuple[Step, ...]] = set()
    level = [((name,), place) for name, place in members(text)]
    while level:
        found |= _paths_in(outline, level, ranges)
        level = [
            ((*path, step), inside)
            for path, place in level
            if path[-1] in _NESTED
            for step, inside in members(text, place.start)
        ]
    return frozenset(found)


def _paths_in(
    outline: Outline, places: list[tuple[tuple[Step, ...], Place]], ranges: set[tuple[int, int]]
) -> set[tuple[Step, ...]]:
    spans = outline.ranges([place for _, place in places])
    return {path for (path, _), span in zip(places, spans, strict=True) if span in ranges}
