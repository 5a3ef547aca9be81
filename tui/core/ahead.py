"""Modules that are imported beside the event loop, just before they are needed.

What is not on the first picture is imported when it is first used. Such an import takes 10 to 100 ms, and
three times that where nothing was compiled yet; on the loop it would hold every key and every frame.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterable
from importlib import import_module
from typing import Final

from tui.core.garbage import collector_paused
from tui.core.keys_first import rest_for

__all__ = ["imported"]

_RESTS: Final = 1.0
"""Seconds that an import rests at most, all in all: who types on and on waits for it in the end."""


async def imported(*names: str) -> None:
    """Import these modules in a thread, in this order; at once where they are there already."""
    missing = [name for name in names if name not in sys.modules]
    if missing:
        with collector_paused(freeze=True):
            await asyncio.to_thread(_import, missing)


def _import(names: Iterable[str]) -> None:
    finder = _KeysFirst()
    sys.meta_path.insert(0, finder)
    try:
        for name in names:
            import_module(name)
    finally:
        sys.meta_path.remove(finder)


class _KeysFirst:
    """Finds no module; has the thread that it was made in rest between two modules while a key is under way.

    The SDK is imported when somebody begins to type, and an import takes half of the interpreter's time.
    """

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._left = _RESTS

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if threading.get_ident() == self._thread and self._left > 0 and (rest := rest_for()):
            self._left -= rest
            time.sleep(rest)
