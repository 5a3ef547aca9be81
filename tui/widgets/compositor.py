"""A compositor that asks only those widgets for lines whose rows are to be painted.

Textual's own (8.2) tests whether the area to be painted overlaps a widget's *clip*, which is the whole
screen for most of them: each frame of a streamed answer then renders every visible widget, all its rows,
a quarter of the CPU of a stream. This one leaves out the widgets, and the rows, that are not painted or lie
wholly behind others (the containers under the conversation pane); what reaches the terminal is the same.

It stands on private parts of Textual: `_get_renders`, `_render_chops` and `ChopsUpdate`
(tests/pane/test_pane_compositor.py holds it against the original).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region

if TYPE_CHECKING:
    from rich.console import Console
    from textual.strip import Strip

__all__ = ["ThriftyCompositor"]


class _Update(ChopsUpdate):
    """As the original, with the cursor moved by a formatted string: a `Control` object each is slow."""

    def render_segments(self, console: Console) -> str:
        """The update as it goes to the terminal."""
        parts: list[str] = []
        add = parts.append
        last = self.spans[-1][0]
        for y, first_x, last_x in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x > last_x or end <= first_x:
                    continue
                add(f"\x1b[{y + 1};{x + 1}H")
                if not (first_x <= x < last_x and end <= last_x):
                    strip = strip.crop(0, min(end, last_x) - x)
                add(strip.render(console))
            if y != last:
                add("\n")
        return "".join(parts)


class ThriftyCompositor(Compositor):
    """See the module; given to a screen in place of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[int, ...] | None = None

    def render_partial_update(self) -> ChopsUpdate | None:
        """Render what is dirty."""
        update = super().render_partial_update()
        return update and _Update(update.chops, update.spans, update.chop_ends)

    def _render_chops(
        self, crop: Region, is_rendered_line: Callable[[int], bool]
    ) -> Sequence[Mapping[int, Strip]]:
        self._rows = tuple(y for y in range(crop.y, crop.bottom) if is_rendered_line(y))
        try:
            return super()._render_chops(crop, is_rendered_line)
        finally:
            self._rows = None

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        rows = self._rows
        if crop is None or rows is None:
            yield from super()._get_renders(crop)
            return
        # One bit for each column of a row that a widget in front has filled already.
        filled = dict.fromkeys(rows, 0)
        painted = ((1 << crop.width) - 1) << crop.x
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            if not shown or shown.x >= crop.right or shown.right <= crop.x:
                continue
            columns = ((1 << shown.width) - 1) << shown.x & painted
            wanted = [y for y in rows if shown.y <= y < shown.bottom and filled[y] & columns != columns]
            if not wanted:
                continue
            top, height = wanted[0], wanted[-1] + 1 - wanted[0]
            for y in range(top, top + height):
                if y in filled:
                    filled[y] |= columns
            part = Region(shown.x - region.x, top - region.y, shown.width, height)
            yield region, Region(shown.x, top, shown.width, height), widget.render_lines(part)
