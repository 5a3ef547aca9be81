"""The usage and cache meter: one line, always there; what the server did not say is "–", never 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.content import Content, Span
from textual.widget import Widget

from tui.core import figures
from tui.core.costs import CostEstimate
from tui.core.items import Usage
from tui.core.meter import Bucket, TurnTiming, cached_share, context_share, split

__all__ = ["Meter"]


@dataclass(frozen=True, slots=True)
class _Style:
    """How much is written out; the richest that fits the line is used.

    Attributes:
        scope: What the two groups are called.
        words: "in" and "out" instead of arrows.
        split: In which of the two groups cached, written and reasoning tokens are named.
        gap: Between the groups.
        shares: Whether the cached share and the context's share are there.
        timing: Time to first token and tokens per second.
    """

    scope: tuple[str, str]
    words: bool
    split: tuple[bool, bool]
    gap: str
    shares: tuple[bool, bool]
    timing: bool = False


_BOTH: Final = (True, True)
_TURN: Final = (True, False)
_NONE: Final = (False, False)
_STYLES: Final = (
    _Style(("turn", "conversation"), True, _BOTH, "   ", _BOTH, timing=True),
    _Style(("turn", "conversation"), True, _BOTH, "   ", _BOTH),
    _Style(("turn", "all"), True, _BOTH, "  ", _BOTH),
    _Style(("turn", "all"), False, _BOTH, "  ", _BOTH),
    _Style(("turn", "all"), True, _TURN, "  ", _BOTH),
    _Style(("turn", "all"), False, _TURN, "  ", _BOTH),
    _Style(("turn", "all"), False, _TURN, "  ", _TURN),
    _Style(("turn", "all"), False, _TURN, " ", _NONE),
    _Style(("turn", "Σ"), False, _TURN, " ", _NONE),
    _Style(("turn", "all"), False, _NONE, "  ", _BOTH),
    _Style(("", "Σ"), False, _NONE, " ", _NONE),
)
_Part = tuple[str, str]


class Meter(Widget):
    """Tokens of the last turn and of the conversation, cached share, cost, context share."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "meter--cached",
        "meter--written",
        "meter--uncached",
        "meter--reasoning",
        "meter--visible",
        "meter--label",
        "meter--cost",
        "meter--full",
    }
    DEFAULT_CSS = """
    Meter {
        height: 1;
        padding: 0 1;
        color: $foreground;
        & > .meter--label { color: $text-muted; }
        & > .meter--cached { color: $text-success; }
        & > .meter--written { color: $text-warning; }
        & > .meter--uncached { color: $foreground; }
        & > .meter--reasoning { color: $text-accent; }
        & > .meter--visible { color: $foreground; }
        & > .meter--cost { color: $foreground; text-style: bold; }
        & > .meter--full { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._last: Usage | None = None
        self._total: Usage | None = None
        self._cost: CostEstimate | None = None
        self._window: int | None = None
        self._timing: TurnTiming | None = None
        self.tooltip = _legend(None, None, None, None, None)

    def show(
        self,
        last: Usage | None,
        total: Usage | None,
        cost: CostEstimate | None,
        window: int | None,
        timing: TurnTiming | None = None,
    ) -> None:
        """Show figures.

        Args:
            last: The last turn's usage; `None` before there is one, or when the server gave none.
            total: The conversation's.
            cost: What the conversation has cost (`core.meter.total_cost` of its turns).
            window: The model's context window in tokens.
            timing: How fast the last turn was.
        """
        self._last, self._total, self._cost, self._window, self._timing = last, total, cost, window, timing
        self.tooltip = _legend(last, total, cost, window, timing)
        self.refresh()

    def render(self) -> Content:
        """The richest form that fits."""
        width = self.content_size.width or self.size.width
        parts: list[_Part] = []
        for style in _STYLES:
            parts = list(self._parts(style))
            if sum(cell_len(text) for text, _ in parts) <= width:
                break
        return self._content(parts)

    def _content(self, parts: list[_Part]) -> Content:
        spans: list[Span] = []
        position = 0
        for text, name in parts:
            if name:
                spans.append(
                    Span(
                        position, position + len(text), self.get_visual_style(f"meter--{name}", partial=True)
                    )
                )
            position += len(text)
        return Content("".join(text for text, _ in parts), spans=spans)

    def _parts(self, style: _Style) -> Iterator[_Part]:
        for usage, scope, divided in zip((self._last, self._total), style.scope, style.split, strict=True):
            if scope:
                yield f"{scope} ", "label"
            yield from _usage_parts(usage or Usage(), style, divided)
            yield style.gap, ""
        if style.shares[0]:
            yield figures.share(cached_share(self._total)), "cached"
            yield " cached", "label"
            yield style.gap, ""
        yield _cost_text(self._cost), "cost"
        if style.shares[1]:
            yield f"{style.gap}ctx ", "label"
            full = context_share(self._last, self._window)
            yield figures.share(full), "full" if full is not None and full >= 0.9 else "uncached"
        if style.timing:
            yield style.gap, ""
            yield _timing_text(self._timing), "label"


def _usage_parts(usage: Usage, style: _Style, divided: bool) -> Iterator[_Part]:
    """`734 in (0 cached) 116 out (0 reasoning)`; what was written to the cache where the server says so."""
    parts = split(usage)
    yield from _count_parts(usage.input_tokens, "in" if style.words else "↑", "uncached")
    if divided:
        yield " (", "label"
        yield from _named(parts.cached, "cached")
        if usage.cache_write_tokens is not None:
            yield ", ", "label"
            yield from _named(parts.written, "written")
        yield ")", "label"
    yield " ", ""
    yield from _count_parts(usage.output_tokens, "out" if style.words else "↓", "visible")
    if divided:
        yield " (", "label"
        yield from _named(parts.reasoning, "reasoning")
        yield ")", "label"


def _count_parts(tokens: int | None, word: str, name: str) -> Iterator[_Part]:
    if len(word) == 1:
        yield word, "label"
        yield figures.count(tokens), name
    else:
        yield figures.count(tokens), name
        yield f" {word}", "label"


def _named(bucket: Bucket, name: str) -> Iterator[_Part]:
    yield figures.count(bucket.tokens), name
    yield f" {name}", "label"


def _cost_text(cost: CostEstimate | None) -> str:
    if cost is None:
        return f"${figures.UNKNOWN}"
    return ("≥" if cost.at_least else "") + figures.money(cost.usd, estimate=cost.estimate)


def _timing_text(timing: TurnTiming | None) -> str:
    first = timing.first_token if timing is not None else None
    rate = timing.tokens_per_second if timing is not None else None
    return f"first {figures.seconds(first)}  {figures.UNKNOWN if rate is None else f'{rate:.0f}'} tok/s"


def _legend(
    last: Usage | None,
    total: Usage | None,
    cost: CostEstimate | None,
    window: int | None,
    timing: TurnTiming | None,
) -> Content:
    """The same in full words and exact counts, for the mouse."""
    lines = [f"{'':22}{'last turn':>12}{'conversation':>15}"]
    turn, all_turns = split(last), split(total)
    for name, label in (
        ("cached", "input, from cache"),
        ("written", "input, written to it"),
        ("uncached", "input, neither"),
        ("reasoning", "output, reasoning"),
        ("visible", "output, visible"),
    ):
        lines.append(f"{label:22}{_exact(getattr(turn, name)):>12}{_exact(getattr(all_turns, name)):>15}")
    served = figures.share(cached_share(last)), figures.share(cached_share(total))
    lines.append(f"{'served from cache':22}{served[0]:>12}{served[1]:>15}")
    lines.append(f"{'cost':22}{'':12}{_cost_text(cost):>15}")
    room = figures.UNKNOWN if window is None else f"{window:,}"
    lines.append(f"{'context window':22}{figures.share(context_share(last, window)):>12}{'of ' + room:>15}")
    lines.append(_timing_text(timing))
    lines.append("– is what the server did not say; ~ is an estimate from dated list prices.")
    return Content("\n".join(lines))


def _exact(bucket: Bucket) -> str:
    if bucket.tokens is None:
        return figures.UNKNOWN if bucket.at_most is None else f"≤ {bucket.at_most:,}"
    return f"{bucket.tokens:,}"
