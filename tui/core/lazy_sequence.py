"""Sequences whose elements are made when they are asked for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Generic, TypeVar, overload

__all__ = ["GrowingSequence", "LazySequence"]

T = TypeVar("T")
C = TypeVar("C")


class LazySequence(Sequence[T]):
    """Knows its length, and makes one element by its number; a slice of it is a list."""

    def made(self, index: int) -> T:
        """The element with this number, from 0 to before the length."""
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        """An element, or a list of them.

        Raises:
            IndexError: There is none with this number.
        """
        count = len(self)
        if isinstance(index, slice):
            return [self.made(number) for number in range(*index.indices(count))]
        number = index + count if index < 0 else index
        if not 0 <= number < count:
            raise IndexError(index)
        return self.made(number)


class GrowingSequence(LazySequence[T], Generic[T, C]):
    """Grows at its end: what comes is put aside, and seen to when somebody asks.

    One thread puts aside, any may read.
    """

    def __init__(self) -> None:
        self._aside: list[C] = []
        self._lock = threading.Lock()

    def _settle(self) -> None:
        """See to what was put aside; before anything is read."""
        if not self._aside:
            return
        with self._lock:
            aside = self._aside[:]
            self._see_to(aside)
            # The last: who finds nothing put aside does not wait for the lock.
            del self._aside[: len(aside)]

    def _see_to(self, aside: Sequence[C]) -> None:
        """Put it where it belongs; whoever calls holds the lock."""
        raise NotImplementedError
