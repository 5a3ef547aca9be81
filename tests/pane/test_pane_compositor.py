from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from textual._compositor import Compositor
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.geometry import Region
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widgets import Input, Static

from tui.widgets.compositor import ThriftyCompositor, paint_now
from tui.widgets.conversation_pane import Block, BlockKind, ConversationPane
from tui.widgets.transcript.bar import Bar


class Crowded(Screen[None]):
    """Nested, scrolled, clipped and overlaid widgets."""

    CSS = """
    Crowded { layers: base above; }
    #above { layer: above; width: 30; height: 6; offset: 20 4; border: round red; }
    #side { width: 20; border-left: vkey blue; }
    ConversationPane { height: 1fr; }
    VerticalScroll { height: 5; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._compositor = ThriftyCompositor()

    def compose(self) -> ComposeResult:
        with Horizontal():
            with Vertical():
                yield ConversationPane(id="pane")
                with VerticalScroll():
                    for number in range(8):
                        yield Static(f"line {number} " * 9)
                yield Input("typed")
            yield Static("side\n" * 9, id="side")
        yield Static("in front", id="above")


class Host(App[None]):
    def on_mount(self) -> None:
        self.push_screen(Crowded())


Cells = dict[tuple[int, int], tuple[str, str]]


def painted(output: str) -> Cells:
    """What each cell shows, and how it is styled, after this was written to a terminal."""
    cells: Cells = {}
    x = y = 0
    style = ""
    for place, colours, text in re.findall(
        r"\x1b\[(\d+;\d+)H|\x1b\[([\d;]*)m|(\x1b\]8[^\\]*\\|[^\x1b]+)", output
    ):
        if place:
            y, x = map(int, place.split(";"))
            style = ""
        elif colours:
            style = "" if colours == "0" else colours
        elif not text.startswith("\x1b"):
            for char in text.replace("\n", ""):
                cells[x, y] = (char, style)
                x += cell_len(char)
    return cells


@pytest.mark.parametrize("seed", range(3))
async def test_it_paints_what_textuals_own_paints(seed: int) -> None:
    chance = random.Random(seed)
    async with Host().run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        pane = screen.query_one(ConversationPane)
        pane.append(Block("a", BlockKind.ASSISTANT, "- item **bold**\n\n" * 30, "model"))
        await pilot.pause()
        compositor = screen._compositor
        assert isinstance(compositor, ThriftyCompositor)
        console = Console(force_terminal=True, color_system="truecolor", width=80, legacy_windows=False)
        for _ in range(40):
            regions = {
                Region(x, y, chance.randint(1, 80 - x), chance.randint(1, 24 - y))
                for x, y in [
                    (chance.randrange(80), chance.randrange(24)) for _ in range(chance.randint(1, 3))
                ]
            }
            compositor._dirty_regions.update(regions)
            thrifty = compositor.render_partial_update()
            assert thrifty is not None and not compositor._dirty_regions
            full = Compositor.render_full_update(_Plain(compositor))
            shown, right = painted(thrifty.render_segments(console)), painted(full.render_segments(console))
            assert {cell: right.get(cell) for cell in shown} == shown
            dirty = {(x + 1, y + 1) for region in regions for x, y in cells_of(region)}
            assert dirty & set(right) <= set(shown)


def cells_of(region: Region) -> Iterator[tuple[int, int]]:
    for y in region.line_range:
        for x in region.column_range:
            yield x, y


async def test_rows_painted_at_once_are_those_of_the_next_frame() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        screen, app = pilot.app.screen, pilot.app
        pane = screen.query_one(ConversationPane)
        pane.append(Block("a", BlockKind.ASSISTANT, "- item **bold**\n\n" * 30, "model"))
        await pilot.pause()
        shown: list[Any] = []
        console = Console(force_terminal=True, color_system="truecolor", width=80, legacy_windows=False)
        app._display = lambda _, update: shown.append(update.render_segments(console))  # type: ignore[method-assign]
        side = screen.query_one("#side")
        side._set_dirty(Region(0, 3, 4, 1))
        screen._dirty_widgets.add(side)
        assert paint_now(pane, [Region(0, 2, 40, 3)])
        full = painted(Compositor.render_full_update(_Plain(screen._compositor)).render_segments(console))
        cells = painted(shown.pop())
        assert {cell: full.get(cell) for cell in cells} == cells
        # What others have to paint is painted with it, and not once more.
        wanted = [*cells_of(Region(0, 2, 40, 3)), *cells_of(Region(61, 3, 4, 1))]
        assert {(x + 1, y + 1) for x, y in wanted} <= set(cells)
        assert not screen._dirty_widgets and not screen._compositor._dirty_regions
        # Where more is due than to paint, or another screen is in front, the usual way is the right one.
        screen._layout_required = True
        assert not paint_now(pane, [Region(0, 2, 40, 3)])
        screen._layout_required = False
        assert not shown
        del app._display
        await app.push_screen(Screen())
        assert not paint_now(pane, [Region(0, 2, 40, 3)])


async def test_a_lone_key_that_scrolls_is_painted_at_once_and_one_right_after_it_with_the_next_frame() -> (
    None
):
    async with Host().run_test(size=(80, 24)) as pilot:
        screen = cast("Any", pilot.app.screen)
        pane = screen.query_one(ConversationPane)
        pane.replace([Block("b", BlockKind.USER, "\n".join(f"row {number}" for number in range(200)))])
        await pilot.pause(0.05)
        pane._scrolled = 0.0
        shown: list[str] = []
        screen.app._display = lambda _, update: shown.append(update.render_segments(Console(width=80)))
        pane.action_page_up()
        assert "row 175" in shown[0]
        shown.clear()
        pane._scrolled += 10.0  # a busy machine may take longer than a frame from one to the other
        pane.action_page_up()
        assert not shown
        await pilot.pause(0.05)
        assert "row 165" in "".join(shown)
        del screen.app._display


class _Plain(Compositor):
    """Textual's own, looking at the same widgets."""

    def __init__(self, other: Compositor) -> None:
        self.__dict__.update(other.__dict__)


async def test_widgets_that_are_not_painted_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        asked: list[str] = []
        for widget in pilot.app.screen.walk_children(with_self=True):
            before = widget.render_lines

            def render_lines(crop: Region, widget: Any = widget, before: Any = before) -> Any:
                asked.append(f"{type(widget).__name__} {crop.height}")
                return before(crop)

            monkeypatch.setattr(widget, "render_lines", render_lines)
        compositor = pilot.app.screen._compositor
        compositor._dirty_regions.add(Region(0, 2, 59, 1))
        compositor.render_partial_update()
        # Not the containers behind it, and one row.
        assert asked == ["ConversationPane 1"]


async def test_the_scrollbar_is_drawn_as_textual_draws_it() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        pane = pilot.app.screen.query_one(ConversationPane)
        pane.append(Block("a", BlockKind.ASSISTANT, "- item\n" * 3000, "model"))
        await pilot.pause()
        bar = pane.vertical_scrollbar
        assert isinstance(bar, Bar) and bar.size.height > 10
        crop = bar.size.region
        for position in (*range(0, 3000, 41), 3000 - bar.size.height):
            bar.set_reactive(cast("Any", ScrollBar.position), float(position))
            bar.set_reactive(cast("Any", ScrollBar.mouse_over), position % 3 == 0)
            bar.refresh()
            ours, original = bar.render_lines(crop), ScrollBar.render_lines(bar, crop)
            assert list(map(looks, ours)) == list(map(looks, original))
            assert list(map(looks, bar.render_lines(Region(0, 3, 1, 4)))) == list(map(looks, ours[3:7]))


def looks(strip: Strip) -> list[tuple[str, Style | None, object]]:
    return [(char, seg.style, seg.style and seg.style.meta) for seg in strip for char in seg.text]
