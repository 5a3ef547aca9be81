"""Lines that are broken before a scrollbar is there are still whole beside it."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tui.widgets.rows import RowList, row, wrap
from tui.widgets.virtual_lines import VirtualLines

TEXT = "abcdefghijklmnopqrstuvwxyz" * 20


async def test_no_letter_of_a_broken_line_is_under_the_scrollbar() -> None:
    class Page(App[None]):
        def compose(self) -> ComposeResult:
            yield VirtualLines()

    app = Page()
    async with app.run_test(size=(30, 8)) as pilot:
        page = app.query_one(VirtualLines)
        room = page.room
        rows = wrap([row((TEXT, "dim"))], room)
        page.show(RowList(rows))
        await pilot.pause()
        assert page.show_vertical_scrollbar
        assert page.room == room == page.scrollable_content_region.width
        drawn = "".join(
            "".join(segment.text for segment in page.render_line(y)).rstrip() for y in range(page.size.height)
        )
        assert TEXT.startswith(drawn) and len(drawn) >= room * 7
