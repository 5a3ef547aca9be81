"""What markdown needs, imported ahead: the parser and the highlighter cost a tenth of a second."""

from __future__ import annotations

import asyncio

from tui.core.once import Once
from tui.widgets.transcript.code import highlight_nothing
from tui.widgets.transcript.syntax import parser

__all__ = ["warm_up", "warmed_up"]


@Once
def warm_up() -> None:
    """Import and build the parser and a lexer; meant for a thread, after the first paint."""
    parser()
    highlight_nothing()


async def warmed_up() -> None:
    """Wait for `warm_up`, in a thread; at once where it has been."""
    if not warm_up.is_made:
        await asyncio.to_thread(warm_up)
