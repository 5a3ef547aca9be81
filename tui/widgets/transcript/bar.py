"""The conversation's scrollbar: Textual's, drawn without the ways that any widget's content may take.

While an answer streams it moves some times a second, and it is as high as the pane: Textual's own takes
3 ms for that, as much as a frame of the answer.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, cast

from rich.segment import Segment
from rich.style import Style
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip

if TYPE_CHECKING:
    from textual.geometry import Region

__all__ = ["Bar"]


class Bar(ScrollBar):
    """A vertical scrollbar without border and padding."""

    def __init__(self, thickness: int) -> None:
        super().__init__(vertical=True, name="vertical", thickness=thickness)
        # As many as there are kinds of rows: track above and below, thumb and its two ends, in each colour.
        self._kinds: dict[object, Strip] = {}

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of the bar, of which most are one and the same strip."""
        width, height = self.size
        drawn = cast("ScrollBarRender", self.render())
        style = drawn.style if isinstance(drawn.style, Style) else Style.parse(drawn.style)
        assert style.color is not None and style.bgcolor is not None
        bar = self.renderer.render_bar(
            size=height,
            virtual_size=ceil(drawn.virtual_size),
            window_size=drawn.window_size,
            position=drawn.position,
            thickness=width,
            vertical=True,
            back_color=style.bgcolor,
            bar_color=style.color,
        )
        ground = self.background_colors[1]
        filters = self.get_line_filters()
        strips: list[Strip] = []
        for segment in cast("list[Segment]", cast("Any", bar).segments)[crop.y : crop.bottom]:
            own = segment.style or Style.null()
            kind = (segment.text, own, repr(own.meta), ground, *map(id, filters))
            strip = self._kinds.get(kind)
            if strip is None:
                if len(self._kinds) > 64:
                    self._kinds.clear()
                strip = Strip([Segment(segment.text, self.rich_style + own)], width)
                for line_filter in filters:
                    strip = strip.apply_filter(line_filter, ground)
                self._kinds[kind] = strip
            strips.append(strip)
        if crop.x or crop.right != width:
            strips = [strip.crop(crop.x, crop.right) for strip in strips]
        return strips
