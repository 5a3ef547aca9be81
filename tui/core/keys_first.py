"""Keys come first: work that can wait rests while a key is on its way to the screen.

A key takes several turns of the event loop from the terminal to the screen. In a flood each turn is as long
as what the flood has decoded or laid out in it; so that rests until the key is painted.
"""

from __future__ import annotations

from time import monotonic
from typing import Final

__all__ = ["key_came", "rest_for"]

_WAY: Final = 0.020
"""Seconds that a key takes to the screen on a slow machine that does nothing else."""

_came = float("-inf")


def key_came() -> None:
    """Say that a key was pressed, in whatever thread."""
    global _came
    _came = monotonic()


def rest_for() -> float:
    """Seconds that work which can wait should rest now, once and not again before it goes on; mostly 0."""
    return max(0.0, _came + _WAY - monotonic())
