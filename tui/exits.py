"""How an error becomes words on stderr and an exit status."""

from __future__ import annotations

import sys

from tui.core.errors import InputError, OutcropError, TokenError
from tui.core.text import visible

__all__ = ["exit_status", "fail"]


def exit_status(error: OutcropError) -> int:
    """The status that stands for an error: 3 for the token, 2 for bad input, else 1."""
    if isinstance(error, TokenError):
        return 3
    return 2 if isinstance(error, InputError) else 1


def fail(error: OutcropError) -> int:
    """Say on stderr what went wrong; returns the exit status."""
    print(f"outcrop: {visible(str(error))}", file=sys.stderr)
    return exit_status(error)
