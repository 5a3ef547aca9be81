"""A compositor that asks only those widgets for lines whose rows are to be painted.

Textual's own (8.2) tests whether the area to be painted overlaps a widget's *clip*, which is the whole
screen for most of them: each frame of a streamed answer then renders every visible widget, all its rows,
a quarter of the CPU of a stream. This one leaves out the widgets, and the rows, that are not painted or lie
wholly behind others (the containers under the conversation pane); rows that one widget has to itself go to
the terminal as it gives them, without being cut up and put together again. What reaches the terminal is the
same, unless a widget that is wholly hidden does work for others when it is rendered.

It stands on private parts of Textual: `_get_renders`, `_render_chops`, `ChopsUpdate`, and what
`Screen._on_timer_update` does (tests/pane/test_pane_compositor.py holds it against the original).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate
from textual.geometry import Region

if TYPE_CHECKING:
    from rich.console import Console
    from textual.strip import Strip
    from textual.widget import Widget

__all__ = ["ThriftyCompositor", "paint_changed", "paint_now"]

# A screen of which one of these is set does more than paint when its timer comes.
_WAITING: Final = ("_layout_required", "_scroll_required", "_repaint_required", "_recompose_required")


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


class _Placed(CompositorUpdate):
    """Strips, where on the screen each begins (column, row), and what else there is to paint."""

    def __init__(self, placed: Sequence[tuple[int, int, Strip]], rest: _Update | None) -> None:
        self.placed = placed
        self.rest = rest

    def render_segments(self, console: Console) -> str:
        """The update as it goes to the terminal."""
        parts = [f"\x1b[{y + 1};{x + 1}H{strip.render(console)}" for x, y, strip in self.placed]
        if self.rest is not None:
            parts.append(self.rest.render_segments(console))
        return "".join(parts)


class ThriftyCompositor(Compositor):
    """See the module; given to a screen in place of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[int, ...] | None = None
        self._shown: tuple[object, list[tuple[Widget, Region, Region]]] = (None, [])

    def add_dirty(self, regions: Iterable[Region]) -> None:
        """Have parts of the screen painted with the next update."""
        self._dirty_regions.update(region for region in regions if region)

    def render_partial_update(self) -> CompositorUpdate | None:  # type: ignore[override]
        """Render what is dirty."""
        placed: list[tuple[int, int, Strip]] = []
        for region in list(self._dirty_regions):
            if (owner := self._owner(region)) is not None:
                self._dirty_regions.discard(region)
                placed.extend(_rows_of(region, *owner))
        update = super().render_partial_update()
        rest = update and _Update(update.chops, update.spans, update.chop_ends)
        return _Placed(placed, rest) if placed else rest

    def _owner(self, region: Region) -> tuple[Widget, Region, Region] | None:
        """The widget of which all of `region` is seen, where it is, and what of it is not clipped."""
        visible = self.visible_widgets
        if self._shown[0] is not visible:
            shown = [(widget, where, where.intersection(clip)) for widget, (where, clip) in visible.items()]
            self._shown = (visible, shown)
        for owner in self._shown[1]:
            if owner[2].overlaps(region):
                return owner if owner[2].contains_region(region) else None
        return None

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


def _rows_of(
    region: Region, widget: Widget, where: Region, shown: Region
) -> Iterable[tuple[int, int, Strip]]:
    """The strips of a part of a widget, and where on the screen each begins."""
    # As wide as the widget: what it makes of less is not cached.
    part = Region(shown.x - where.x, region.y - where.y, shown.width, region.height)
    left, right = region.x - shown.x, region.right - shown.x
    for y, strip in enumerate(widget.render_lines(part), region.y):
        yield region.x, y, strip.crop(left, right) if left or right != strip.cell_length else strip


def paint_now(widget: Widget, regions: Iterable[Region]) -> bool:
    """Paint parts of a widget at once, with all else that is dirty.

    The usual way to the screen takes four turns of the event loop, most of the cost of a small frame.

    Args:
        widget: Whose.
        regions: From its top left corner.

    Returns:
        Whether that could be done. Where another screen is in front, or a layout is due, it could not:
        `Widget.refresh` can.
    """
    screen = cast("Any", widget).screen
    app, compositor = screen.app, screen._compositor
    place = compositor.visible_widgets.get(widget)
    if (
        place is None
        or not isinstance(compositor, ThriftyCompositor)
        or not screen.is_current
        or app.screen is not screen
        or app._batch_count
        or any(getattr(screen, name) for name in _WAITING)
    ):
        return False
    where, clip = place
    compositor.add_dirty(clip.intersection(region.translate(where.offset)) for region in regions)
    compositor.update_widgets(screen._dirty_widgets)
    screen._compositor_refresh()
    return True


def paint_changed(widget: Widget) -> None:
    """Paint at once what a widget has asked to be painted, unless its size changes as well."""
    it = cast("Any", widget)
    if it._repaint_regions and not it._layout_required:
        regions = it._exchange_repaint_regions()
        if not paint_now(widget, regions):
            it._repaint_regions.update(regions)
