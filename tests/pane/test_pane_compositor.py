from __future__ import annotations

import random
from typing import Any

import pytest
from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.geometry import Region
from textual.screen import Screen
from textual.widgets import Input, Static

from tui.widgets.compositor import ThriftyCompositor
from tui.widgets.conversation_pane import Block, BlockKind, ConversationPane


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


def painted(update: Any, width: int, height: int) -> list[str]:
    """What an update says of each cell in its spans, and nothing of the others."""
    rows = [["?"] * width for _ in range(height)]
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None:
                assert end <= first or x >= last, "a cell that is to be painted has no strip"
                continue
            cells = [(c, str(s.style)) for s in strip for c in s.text]
            for column, cell in enumerate(cells, x):
                if first <= column < last:
                    rows[y][column] = str(cell)
    return ["".join(row) for row in rows]


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
            compositor._dirty_regions.update(regions)
            original = Compositor.render_partial_update(compositor)  # its chops by our `_get_renders`
            full = Compositor._render_chops(_Plain(compositor), Region(0, 0, 80, 24), lambda y: True)
            assert thrifty is not None and original is not None
            expected = ChopsUpdate(full, thrifty.spans, thrifty.chop_ends)
            assert painted(thrifty, 80, 24) == painted(expected, 80, 24)
            assert thrifty.render_segments(console) == original.render_segments(console)


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
