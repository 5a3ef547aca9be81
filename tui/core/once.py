"""What is made when it is first asked for, and once, whichever threads ask.

`functools.cache` lets two threads make it at the same time, and hands on what another library has only begun
to fill.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Generic, TypeVar

__all__ = ["Once"]

T = TypeVar("T")


class Once(Generic[T]):
    """A function without arguments, as a decorator: its result is kept; others wait while it is made.

    Args:
        make: What it raises goes to who asked, and the next one tries again.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: tuple[T] | None = None
        update_wrapper(self, make)

    @property
    def is_made(self) -> bool:
        """Whether nobody has to wait any more."""
        return self._made is not None

    def __call__(self) -> T:
        """What was made."""
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = (self._make(),)
        return self._made[0]

    def forget(self) -> None:
        """Have it made again."""
        self._made = None
