"""Modules that are imported beside the event loop, just before they are needed.

What is not on the first picture is imported when it is first used. Such an import takes 10 to 100 ms, and
three times that where nothing was compiled yet; on the loop it would hold every key and every frame.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from importlib import import_module

from tui.core.garbage import collector_paused

__all__ = ["imported"]


async def imported(*names: str) -> None:
    """Import these modules in a thread, in this order; at once where they are there already."""
    missing = [name for name in names if name not in sys.modules]
    if missing:
        with collector_paused(freeze=True):
            await asyncio.to_thread(_import, missing)


def _import(names: Iterable[str]) -> None:
    for name in names:
        import_module(name)
