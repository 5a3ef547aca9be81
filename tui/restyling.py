"""Another theme's styles: read beside the event loop, put on piece by piece.

Textual's `App.refresh_css` parses every widget's styles anew on the loop, 60 ms and more; and as its cache
is empty after that, the next screen that opens has them all parsed a second time. So does a program with more
than the 64 sources of styles that the cache holds. This stands on private parts of Textual: `_parse_cache`,
`_require_parse`, `_refresh_layout`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App
    from textual.css.stylesheet import Stylesheet

__all__ = ["remember_more", "restyle"]

_SOURCES = 1024


def remember_more(stylesheet: Stylesheet) -> None:
    """Keep what was parsed of every source there can be."""
    sheet: Any = stylesheet
    sheet._parse_cache.grow(_SOURCES)


async def restyle(app: App[Any], *, animate: bool) -> None:
    """Do what `App.refresh_css` does, the parsing in a thread, the rest with pauses.

    Raises:
        StylesheetError: The styles cannot be parsed with the theme's colours.
    """
    sheet: Any = app.stylesheet
    fresh: Any = app.stylesheet.copy()
    variables = app.get_css_variables()
    fresh.set_variables(variables)
    remember_more(fresh)
    await asyncio.to_thread(fresh.parse)
    sheet.set_variables(variables)
    sheet._parse_cache = fresh._parse_cache
    sheet._require_parse = True
    sheet._rules_map = None
    drawn: Any = app
    screens: list[Any] = [screen for screen in reversed(app.screen_stack) if screen.is_mounted]
    sheet.apply(app, animate=animate)
    for number, screen in enumerate(screens):
        await asyncio.sleep(0)
        sheet.update(screen, animate=animate)
        screen._css_update_count = drawn._css_update_count
        if number == 0 and screen is app.screen:
            await asyncio.sleep(0)
            screen._refresh_layout(app.size)
