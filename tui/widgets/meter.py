"""The usage and cache meter: one line, always there; what the server did not say is "–", never 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from rich.cells import cell_len
from textual import events
from textual.content import Content, Span
from textual.widget import Widget

from tui.core import figures
from tui.core.costs import CostEstimate
from tui.core.items import Usage
from tui.core.meter import Bucket, ConversationFigures, Split, TurnFigures, TurnTiming, context_share, split
from tui.messages import CommandRequested

__all__ = ["FULL_FROM", "Meter", "bucket_text", "cost_text"]

FULL_FROM: Final = 0.8
"""From which share of the context window on it is told before all else."""

Detail = Literal["words", "figures", "totals"]


@dataclass(frozen=True, slots=True)
class _Style:
    """How much is written out; the richest that fits the line is used.

    Attributes:
        turn: How the last turn is split: in words, in figures (`cached/written/uncached`), not at all.
        all: The same for the conversation.
        scope: What the two are called.
        cached: Whether the share from the cache is there, and whether it is named.
        context: Whether the context's share is there; always where the window is nearly full.
        timing: Time to first token and tokens per second, in words or in figures.
        gap: Between the groups.
    """

    turn: Detail = "words"
    all: Detail = "words"
    scope: tuple[str, str] = ("turn", "all")
    cached: str = " cached"
    context: bool = True
    timing: Literal["words", "figures", ""] = ""
    gap: str = "  "


# First the words go, then the speed, then the context's share (unless that is urgent), then the splits.
_STYLES: Final = (
    _Style(scope=("turn", "conversation"), timing="words", gap="   "),
    _Style(timing="words"),
    _Style(all="figures", timing="words"),
    _Style(all="figures", timing="figures"),
    _Style("figures", "figures", timing="words"),
    _Style("figures", "figures", timing="figures"),
    _Style("figures", "figures"),
    _Style("figures", "figures", context=False),
    _Style("figures", "figures", cached="", context=False),
    _Style("figures", "figures", ("", "Σ"), cached="", context=False, gap=" "),
    _Style("figures", "totals", ("", "Σ"), cached="", context=False, gap=" "),
    _Style("totals", "totals", ("", "Σ"), cached="", context=False, gap=" "),
)
_NOTHING: Final = split(None)
_Part = tuple[str, str]


class Meter(Widget):
    """Tokens of the last turn and of the conversation, cached share, cost, context share, speed."""

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
        & > .meter--visible { color: $text-primary; }
        & > .meter--cost { color: $foreground; text-style: bold; }
        & > .meter--full { color: $text-error; text-style: bold; }
        &:hover { background: $panel; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._figures: ConversationFigures | None = None
        self._last: TurnFigures | None = None
        self._window: int | None = None
        self.tooltip = _legend(None, None, None)

    def show(self, figures: ConversationFigures, window: int | None) -> None:
        """Show figures.

        Args:
            figures: The path's; its last turn that has ended is the turn that is told of.
            window: The context window of the model that is asked next, in tokens.
        """
        self._figures, self._window = figures, window
        self._last = next((turn for turn in reversed(figures.turns) if turn.outcome), None)
        self.tooltip = _legend(self._last, figures, window)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Open the page behind it."""
        event.stop()
        self.post_message(CommandRequested("usage.open"))

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
                style = self.get_visual_style(f"meter--{name}", partial=True)
                spans.append(Span(position, position + len(text), style))
            position += len(text)
        return Content("".join(text for text, _ in parts), spans=spans)

    def _parts(self, style: _Style) -> Iterator[_Part]:
        last, whole = self._last, self._figures
        usages = (last.usage if last else None), (whole.usage if whole else None)
        splits = (last.split if last else _NOTHING), (whole.split if whole else _NOTHING)
        for usage, parts, scope, detail in zip(
            usages, splits, style.scope, (style.turn, style.all), strict=True
        ):
            if scope:
                yield f"{scope} ", "label"
            yield from _usage_parts(usage or Usage(), parts, detail)
            yield style.gap, ""
        yield figures.share(whole.cached_share if whole else None), "cached"
        if style.cached:
            yield style.cached, "label"
        yield style.gap, ""
        yield cost_text(whole.cost if whole else None), "cost"
        full = context_share(usages[0], self._window)
        nearly = full is not None and full >= FULL_FROM
        if style.context or nearly:
            yield f"{style.gap}ctx ", "label"
            yield figures.share(full), "full" if nearly else "uncached"
        if style.timing:
            yield style.gap, ""
            yield _timing_text(last.timing if last else None, style.timing), "label"


def _usage_parts(usage: Usage, parts: Split, detail: Detail) -> Iterator[_Part]:
    """`↑8.2k cached 1k written 3.2k uncached ↓…`, or `↑8.2k/1k/3.2k ↓300/212`, or the totals."""
    if detail == "totals":
        yield "↑", "label"
        yield figures.count(usage.input_tokens), "uncached"
        yield " ↓", "label"
        yield figures.count(usage.output_tokens), "visible"
        return
    ins = (("cached", parts.cached), ("written", parts.written), ("uncached", parts.uncached))
    outs = (("reasoning", parts.reasoning), ("visible", parts.visible))
    named = detail == "words"
    yield "↑", "label"
    yield from _joined(ins, " " if named else "/", named=named)
    yield " ↓", "label"
    yield from _joined(outs, " " if named else "/", named=named)


def _joined(buckets: tuple[tuple[str, Bucket], ...], between: str, *, named: bool) -> Iterator[_Part]:
    for number, (name, bucket) in enumerate(buckets):
        if number:
            yield between, "label"
        yield bucket_text(bucket), name
        if named:
            yield f" {name}", "label"


def bucket_text(bucket: Bucket, *, exact: bool = False) -> str:
    """A count, an upper bound as `≤ 4,208`, or the sign for what is unknown."""
    if bucket.tokens is not None:
        return f"{bucket.tokens:,}" if exact else figures.count(bucket.tokens)
    if bucket.at_most is None:
        return figures.UNKNOWN
    return f"≤ {bucket.at_most:,}" if exact else f"≤{figures.count(bucket.at_most)}"


def cost_text(cost: CostEstimate | None) -> str:
    """`~$0.0412`; "≥" where a part is unknown, "?" behind a price that is doubtful."""
    if cost is None:
        return f"${figures.UNKNOWN}"
    doubt = "?" if cost.uncertain else ""
    return ("≥" if cost.at_least else "") + figures.money(cost.usd, estimate=cost.estimate) + doubt


def _timing_text(timing: TurnTiming | None, style: str) -> str:
    first = figures.seconds(timing.first_token if timing else None)
    rate = timing.tokens_per_second if timing else None
    speed = figures.UNKNOWN if rate is None else f"{rate:.0f}"
    return f"first {first}  {speed} tok/s" if style == "words" else f"{first} {speed}/s"


def _legend(last: TurnFigures | None, whole: ConversationFigures | None, window: int | None) -> Content:
    """The same in full words and exact counts, for the mouse."""
    lines = [f"{'':22}{'last turn':>12}{'conversation':>15}"]
    turn, every = (last.split if last else _NOTHING), (whole.split if whole else _NOTHING)
    for name, label in (
        ("cached", "input, from cache"),
        ("written", "input, written to it"),
        ("uncached", "input, neither"),
        ("reasoning", "output, reasoning"),
        ("visible", "output, visible"),
    ):
        texts = [bucket_text(getattr(buckets, name), exact=True) for buckets in (turn, every)]
        lines.append(f"{label:22}{texts[0]:>12}{texts[1]:>15}")
    served = [figures.share(one.cached_share if one else None) for one in (last, whole)]
    lines.append(f"{'served from cache':22}{served[0]:>12}{served[1]:>15}")
    costs = [cost_text(one.cost if one else None) for one in (last, whole)]
    lines.append(f"{'cost':22}{costs[0]:>12}{costs[1]:>15}")
    room = figures.UNKNOWN if window is None else f"{window:,}"
    full = figures.share(context_share(last.usage if last else None, window))
    lines.append(f"{'context window':22}{full:>12}{'of ' + room:>15}")
    lines.append(_timing_text(last.timing if last else None, "words"))
    lines.append("– is what the server did not say; ~ is an estimate from dated list prices.")
    lines.append("In figures alone: cached/written/uncached ↑, reasoning/visible ↓. A click shows more.")
    return Content("\n".join(lines))
