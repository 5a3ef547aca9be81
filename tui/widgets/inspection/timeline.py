"""The waterfall of an exchange: a bar for each phase, moments as marks, rates below."""

from __future__ import annotations

from typing import Final

from tui.core import figures
from tui.core.exchange import Exchange
from tui.core.stream_timing import Phase, StreamRates, phases_of, rates_of
from tui.widgets.rows import Mark, Row, fit, row, wrap

__all__ = ["rates_words", "timeline_rows"]

_LABEL: Final = 16
_TIME: Final = 19
_NARROW: Final = 60
_MOMENTS: Final = frozenset({"first text", "end"})
_NAMES: Final = {
    "send": "request sent",
    "wait": "waiting",
    "headers to body": "first byte",
    "receive": "receiving",
}
_MARKS: Final[dict[str, Mark]] = {
    "connect": "key",
    "TLS": "key",
    "send": "accent",
    "wait": "dim",
    "headers to body": "dim",
    "receive": "success",
    "first text": "heading",
    "end": "heading",
}
_NAMED: Final = frozenset(_MARKS)
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"


def timeline_rows(exchange: Exchange, width: int, *, low: bool = False) -> list[Row]:
    """The waterfall for `width` cells: phases in their order, each output item, then the rates.

    It looks at every event once: call it off the event loop.

    Args:
        exchange: The exchange, running or ended.
        width: Cells.
        low: In a few lines: all phases in one bar, their times in words below it.
    """
    phases = phases_of(exchange)
    ends = [phase.end for phase in phases if phase.end is not None]
    last = exchange.events[-1].offset if exchange.events else 0.0
    total = max([*ends, last, 0.001])
    rates = wrap([rates_words(rates_of(exchange))], width)
    if not low:
        return [*rates, *(_bar(phase, total, width) for phase in phases)]
    items = [phase for phase in phases if phase.name not in _NAMED]
    named = [phase for phase in phases if phase.name in _NAMED]
    words = wrap([_words(named)], width)
    return [_one_bar(named, total, width), *words, *rates, *(_bar(item, total, width) for item in items)]


def _words(phases: list[Phase]) -> Row:
    """When each phase ended, each name in the colour of its part of the bar."""
    parts: list[str | tuple[str, Mark]] = []
    for phase in phases:
        mark = _MARKS.get(phase.name, "accent")
        # The answer has come whole when all has ended, which has a mark of its own.
        when = "" if phase.name == "receive" else "…" if phase.end is None else figures.seconds(phase.end)
        name = {"wait": "headers", "send": "sent"}.get(phase.name, _name(phase))
        # No break between a sign, a name and its time.
        parts.append(("◆\N{NO-BREAK SPACE}" if phase.name in _MOMENTS else "█\N{NO-BREAK SPACE}", mark))
        parts.append(f"{name} {when}".strip().replace(" ", "\N{NO-BREAK SPACE}") + "  ")
    return row(*parts, words=True)


def _one_bar(phases: list[Phase], total: float, width: int) -> Row:
    """All phases in one line, moments over them."""
    cells: list[tuple[str, Mark]] = [(" ", "dim")] * width
    for phase in phases:
        start = min(width - 1, int(phase.start / total * width))
        end = total if phase.end is None else phase.end
        stop = max(start + 1, round(end / total * width))
        moment = phase.name in _MOMENTS
        for at in range(start, min(width, start + 1 if moment else stop)):
            cells[at] = ("◆" if moment else "█", _MARKS.get(phase.name, "accent"))
    return row(*cells)


def _name(phase: Phase) -> str:
    return _NAMES.get(phase.name, phase.name.replace("_", " "))


def _bar(phase: Phase, total: float, width: int) -> Row:
    label = _LABEL if width >= _NARROW else _LABEL - 2
    room = max(4, width - label - _TIME - 2)
    mark = _MARKS.get(phase.name, "accent")
    name = _name(phase)
    start = phase.start / total * room
    end = total if phase.end is None else phase.end
    stop = min(float(room), end / total * room)
    if phase.name in _MOMENTS:
        at = min(room - 1, int(start))
        drawn = " " * at + "◆"
        said = figures.seconds(phase.start)
    else:
        drawn = _drawn(start, stop, room)
        length = "running" if phase.end is None else figures.seconds(end - phase.start)
        said = f"{figures.seconds(phase.start)} +{length}"
    said = fit(said, _TIME, right=True)
    return row((fit(name, label - 1), "key"), " ", (fit(drawn, room), mark), " ", (said, "dim"))


def _drawn(start: float, stop: float, room: int) -> str:
    """A bar from `start` to `stop` in cells, at least an eighth of one wide."""
    first = min(room - 1, int(start))
    # A bar begins at a whole cell: there are no blocks that are filled from the right.
    eighths = max(1, round((stop - first) * 8))
    full, rest = divmod(eighths, 8)
    return (" " * first + "█" * full + (_EIGHTHS[rest] if rest else ""))[:room]


def rates_words(rates: StreamRates) -> Row:
    """Events, rates and the longest gap in one line."""
    if not rates.events:
        return row(("no event", "dim"))
    parts = [f"{rates.events:,} events"]
    if rates.events_per_second is not None:
        parts[0] += f", {rates.events_per_second:,.1f}/s"
    if rates.output_tokens is not None:
        speed = "" if rates.tokens_per_second is None else f", {rates.tokens_per_second:,.1f}/s"
        parts.append(f"{rates.output_tokens:,} tokens{speed}")
    if rates.longest_gap is not None:
        parts.append(f"longest gap {figures.seconds(rates.longest_gap)} before #{rates.gap_before:,}")
    return row((" · ".join(parts), "number"), words=True)
