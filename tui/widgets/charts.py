"""Charts of a conversation's turns, drawn by textual-plot; imported when the page is opened, never before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static
from textual_plot import NumericAxisFormatter

from tui.core.meter import Bucket, TurnFigures
from tui.widgets.plot import Plot

__all__ = ["Bars", "Chart", "TokenChart", "ValueChart", "shown_turns"]

_BUCKETS: Final = ("cached", "written", "uncached", "reasoning", "visible")
_CELLS_A_TURN: Final = 2
_MARGIN: Final = 9
_SOLID: Final = "█"


class _Ticks(NumericAxisFormatter):
    """Few round ticks, written as the axis is read."""

    def __init__(self, write: Callable[[float], str], most: int) -> None:
        self._write = write
        self._most = most

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        """As many as there are rows for."""
        ticks = super().get_ticks(min_, max_, max_ticks)
        step = -(-len(ticks) // max(1, self._most))
        return ticks[::step]

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        """One label a tick."""
        return [self._write(tick) for tick in ticks]


@dataclass(frozen=True, slots=True)
class Bars:
    """A set of bars, or of points of a line.

    Attributes:
        points: Turn number and value; a turn without a value has none.
        style: One of the chart's component classes, without `chart--`.
    """

    points: tuple[tuple[int, float], ...]
    style: str


def shown_turns(turns: Sequence[TurnFigures], width: int) -> Sequence[TurnFigures]:
    """The last turns for which there is room in `width` cells."""
    room = max(4, (width - _MARGIN - 2) // _CELLS_A_TURN)
    return turns[-room:]


class Chart(Vertical):
    """A title with a legend, and a plot over the turns' numbers."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"chart--{name}" for name in (*_BUCKETS, "cost", "running")}
    DEFAULT_CSS = """
    Chart {
        background: $background;
        padding: 0 1 0 0;
        & > .chart--cached { color: $success; }
        & > .chart--written { color: $warning; }
        & > .chart--uncached { color: $foreground 45%; }
        & > .chart--reasoning { color: $secondary; }
        & > .chart--visible { color: $primary; }
        & > .chart--cost { color: $foreground 70%; }
        & > .chart--running { color: $primary; }
        & > .chart--title { height: 1; padding: 0 0 0 1; }
        & Plot { height: 1fr; background: $background; }
        & Plot Grid { background: $background; }
        & Plot Canvas { background: $background; }
        & Plot > .plot--axis { color: $foreground 30%; }
        & Plot > .plot--tick { color: $text-muted; text-style: none; }
        & Plot #legend { display: none; }
    }
    """

    def __init__(
        self,
        title: str,
        legend: Sequence[tuple[str, str]],
        write: Callable[[float], str],
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._title = title
        self._legend = legend
        self._write = write
        self._turns: Sequence[TurnFigures] = ()
        self._heading = Static("", classes="chart--title", markup=False)
        self._plot = Plot(allow_pan_and_zoom=False)

    def compose(self) -> ComposeResult:
        """The title above the plot."""
        yield self._heading
        yield self._plot

    def on_mount(self) -> None:
        """The library's own margins leave rows empty."""
        self._plot.margin_top = 0
        self._plot.margin_bottom = 1
        self._plot.margin_left = _MARGIN

    def show(self, turns: Sequence[TurnFigures]) -> None:
        """Draw these turns."""
        self._turns = turns
        self._draw()

    def on_resize(self) -> None:
        """There is room for more turns, or for fewer."""
        self._draw()

    def series(self, turns: Sequence[TurnFigures]) -> list[Bars]:
        """What is drawn as bars; later ones lie over earlier ones."""
        raise NotImplementedError

    def line(self, turns: Sequence[TurnFigures]) -> Bars | None:
        """What is drawn as a line."""
        return None

    def colour(self, name: str) -> str:
        """A component class's colour, as textual-plot takes it."""
        styles = self.get_component_styles(f"chart--{name}")
        return (self.background_colors[1] + styles.color).hex6

    def _draw(self) -> None:
        # A plot without its parts is being closed.
        if not self.is_attached or not self.size.width or not self._plot.children:
            return
        turns = shown_turns(self._turns, self.size.width)
        self._say(len(turns))
        plot = self._plot
        plot.clear()
        if not turns:
            return
        first, last = turns[0].number, turns[-1].number
        drawn = self.series(turns)
        # A whole number of cells, so that bars are equally wide; with one between them where there is room.
        cells = max(1.0, (self.size.width - _MARGIN - 4) / (last - first + 1.2))
        width = max(0, int(cells) - 2) / cells
        top = max((value for bars in drawn for _, value in bars.points), default=0.0)
        for bars in drawn:
            if bars.points:
                xs, ys = [x for x, _ in bars.points], [y for _, y in bars.points]
                plot.bar(xs, ys, width=width, bar_style=self.colour(bars.style))
        line = self.line(turns)
        if line is not None and line.points:
            from textual_plot import HiResMode

            xs, ys = [x for x, _ in line.points], [y for _, y in line.points]
            top = max([top, *ys])
            colour = self.colour(line.style)
            plot.plot(xs, ys, line_style=colour, hires_mode=HiResMode.BRAILLE)
            plot.scatter(xs, ys, marker="●", marker_style=colour)
        plot.set_xlimits(first - 0.6, last + 0.6)
        plot.set_ylimits(0, self.limit(top))
        plot.set_y_formatter(_Ticks(self._write, max(2, (self.size.height - 3) // 2)))
        plot.set_x_formatter(_Ticks(lambda tick: f"{tick:.0f}", 100))
        step = max(1, -(-(last - first + 1) // max(1, (self.size.width - _MARGIN) // 5)))
        plot.set_xticks([float(number) for number in range(first, last + 1, step)])

    def limit(self, top: float) -> float:
        """The upper end of the axis."""
        return top * 1.05 or 1.0

    def _say(self, shown: int) -> None:
        hidden = len(self._turns) - shown
        parts = [Content.styled(self._title, "bold")]
        if hidden > 0:
            parts.append(Content.styled(f"  last {shown} of {len(self._turns)} turns", "$text-muted"))
        for name, words in self._legend:
            parts.append(Content.styled(f"  {_SOLID} ", self.colour(name)))
            parts.append(Content.styled(words, "$text-muted"))
        self._heading.update(Content("").join(parts))


class TokenChart(Chart):
    """Stacked bars: where each turn's tokens went.

    Args (of the constructor), beside those of `Chart`:
        buckets: Which of the split's buckets, from the bottom up.
    """

    def __init__(
        self, title: str, buckets: Sequence[str], write: Callable[[float], str], *, classes: str | None = None
    ) -> None:
        super().__init__(title, [(name, name) for name in buckets], write, classes=classes)
        self._buckets = buckets

    def series(self, turns: Sequence[TurnFigures]) -> list[Bars]:
        """The tallest first: each lies over the one before it and so leaves its own part of it."""
        below = [0.0] * len(turns)
        layers: list[Bars] = []
        for name in self._buckets:
            for index, turn in enumerate(turns):
                below[index] += _known(getattr(turn.split, name))
            layers.append(
                Bars(
                    tuple((turn.number, height) for turn, height in zip(turns, below, strict=True) if height),
                    name,
                )
            )
        return layers[::-1]


class ValueChart(Chart):
    """One value a turn, as bars or as a line.

    Args (of the constructor), beside those of `Chart`:
        value: A turn's value; `None` where it is unknown, and then nothing is drawn.
        style: One of the chart's component classes.
        whole: The axis ends here, if it has a natural end.
        as_line: Whether it is drawn as a line.
    """

    def __init__(
        self,
        title: str,
        value: Callable[[TurnFigures], float | None],
        write: Callable[[float], str],
        style: str,
        *,
        whole: float | None = None,
        as_line: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(title, (), write, id=id, classes=classes)
        self._value = value
        self._style = style
        self._whole = whole
        self._as_line = as_line

    def series(self, turns: Sequence[TurnFigures]) -> list[Bars]:
        """The bars."""
        return [] if self._as_line else [self._points(turns)]

    def line(self, turns: Sequence[TurnFigures]) -> Bars | None:
        """The line."""
        return self._points(turns) if self._as_line else None

    def limit(self, top: float) -> float:
        """The natural end."""
        return self._whole or super().limit(top)

    def _points(self, turns: Sequence[TurnFigures]) -> Bars:
        found = ((turn.number, self._value(turn)) for turn in turns)
        return Bars(tuple((number, value) for number, value in found if value is not None), self._style)


def _known(bucket: Bucket) -> int:
    """What is drawn: a count, or the bound of one that is not told apart from another."""
    return bucket.tokens if bucket.tokens is not None else bucket.at_most or 0
