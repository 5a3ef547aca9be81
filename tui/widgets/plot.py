"""textual-plot's widget, drawn in a moment of its own.

The library draws a plot while the screen is painted, into canvases that have the screen told of every pixel
and look their style up for every row: six plots of a page hold the event loop for 80 to 240 ms. Here each is
drawn between two frames, one at a time, and only what it changed is painted.

This stands on private parts of textual-plot 0.10: `_needs_rerender` and `_needs_canvas_resize`.
"""

from __future__ import annotations

from contextlib import ExitStack
from time import perf_counter
from typing import Any, ClassVar, Final, Self

from rich.style import Style
from textual import on
from textual.app import ComposeResult, RenderResult
from textual.containers import Grid
from textual.geometry import Region
from textual.strip import Strip
from textual.timer import Timer
from textual.widgets import Static
from textual_hires_canvas import Canvas
from textual_plot import PlotWidget

__all__ = ["Plot"]

_FRAME: Final = 1 / 60
"""Seconds from what changed to what is drawn, and between two plots."""


class _Canvas(Canvas):
    """A canvas that looks its style up once for all rows, and renders one row while it is blank.

    Attributes:
        blank: Whether nothing was drawn on it yet.
    """

    blank = True
    _style: Style | None = None

    @property
    def rich_style(self) -> Style:
        """Of the canvas itself."""
        return self._style or super().rich_style

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows within `crop`."""
        self._style = super().rich_style
        try:
            if self.blank:
                return super().render_lines(Region(crop.x, crop.y, crop.width, 1)) * crop.height
            return super().render_lines(crop)
        finally:
            self._style = None


class Plot(PlotWidget):
    """The library's plot without its margins, legend, zoom and pan: the page's keys are the page's."""

    BINDINGS: ClassVar = []
    can_focus = False
    _next_at: ClassVar[float] = 0.0
    _timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """The parts by the names that the library knows them by."""
        with Grid():
            for part in ("margin-top", "margin-left", "plot", "margin-bottom"):
                yield _Canvas(1, 1, id=part)
        yield Static(id="legend")

    @property
    def is_drawn(self) -> bool:
        """Whether what was asked of it stands on its canvases."""
        return not self._needs_rerender

    def refresh(self, *regions: Region, **more: Any) -> Self:
        """Have it painted, and drawn before that where it changed."""
        super().refresh(*regions, **more)
        if self._needs_rerender:
            self._draw_soon()
        return self

    @on(Canvas.Resize)
    def _laid_out(self, event: Canvas.Resize) -> None:
        event.stop()
        self._needs_rerender = self._needs_canvas_resize = True
        self._draw_soon()

    def render(self) -> RenderResult:
        """Nothing: it lies wholly under its canvases."""
        return ""

    def _draw_soon(self) -> None:
        if self._timer is None and self.is_running:
            now = perf_counter()
            Plot._next_at = max(Plot._next_at, now) + _FRAME
            self._timer = self.set_timer(Plot._next_at - now, self._draw)

    def _draw(self) -> None:
        self._timer = None
        with ExitStack() as told_once:
            for canvas in self.query(_Canvas):
                canvas.blank = False
                told_once.enter_context(canvas.batch_refresh())
            super().render()
