"""What the reader of a streamed body needs to know of the API: how the body is framed, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from tui.core.events import StreamEvent
from tui.core.recorded_events import Placed, Tells

__all__ = ["BodyDecoder", "Piece"]


class Piece(Placed, Protocol):
    """One event of a body: a server-sent event, or a frame of an AWS event stream."""

    @property
    def data(self) -> bytes:
        """What it says, without its framing."""
        ...


P = TypeVar("P", bound=Piece)


class BodyDecoder(Tells[P], Protocol[P]):
    """Takes one body apart, bytes in, stream events out. Each body has a decoder of its own."""

    @property
    def media_type(self) -> str:
        """The content type that the body must have, without parameters."""
        ...

    def feed(self, piece: bytes) -> Iterable[P]:
        """Take the next bytes, cut anywhere; gives the events that they complete.

        Raises:
            StreamError: The framing is broken; the events before that were given.
        """
        ...

    def finish(self) -> P | None:
        """Say that the body has ended; returns an event that is whole but for its end mark, if there is one.

        Raises:
            StreamError: The body ends within an event.
        """
        ...

    def is_last(self, event: P) -> bool:
        """Whether the event, which has no number, says that nothing comes after it."""
        ...

    def read(self, event: P) -> tuple[Sequence[StreamEvent], int | None]:
        """What an event says, and its `sequence_number` where it has one.

        Raises:
            StreamError: It cannot be read.
        """
        ...

    def ended(self) -> Sequence[StreamEvent]:
        """What is certain once the body has ended, where the API sends no event that says so."""
        ...
