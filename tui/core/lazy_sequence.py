"""A sequence whose elements are made when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, overload

__all__ = ["LazySequence"]

T = TypeVar("T")


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
